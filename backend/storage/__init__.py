"""Keeps everything: SQLite out of the box, PostgreSQL by URL, the same code on both."""
