"""The built-in demo shop"""
