"""Bokeh figures"""
