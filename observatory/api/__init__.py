"""The REST API, on the port of the dashboard."""
