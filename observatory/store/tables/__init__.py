"""A class a table: its name, its keys, its rows as values, and what is asked of it. `every.TABLES` has them all"""
