"""The health score, and where every service stands now"""
