"""CSV and Parquet files, read and checked"""
