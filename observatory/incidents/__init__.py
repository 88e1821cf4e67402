"""Incidents: anomalies that belong together"""
