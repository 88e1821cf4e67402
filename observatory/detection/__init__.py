"""From scores to anomalies"""
