"""Roll-ups, archive, retention, backup and check"""
