"""The tables of the store, a class each"""
