"""Settings: read once at the entry point and passed down"""
