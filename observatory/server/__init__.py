"""panel serve, and what is around it"""
