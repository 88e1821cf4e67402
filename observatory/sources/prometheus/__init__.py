"""Prometheus, and whatever speaks its API"""
