"""The SQL of the store"""
