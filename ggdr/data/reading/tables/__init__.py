"""Readers of tables with a column of images: parquet, saved data sets and the Hub."""
