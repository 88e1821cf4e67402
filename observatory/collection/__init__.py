"""Samples into the store: now, from the past, and from files"""
