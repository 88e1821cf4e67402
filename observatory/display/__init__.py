"""Data frames for people to read: on the command line and in notebooks"""
