"""What comes in and goes out of the REST API"""
