"""DuckDB and where it lives"""
