"""Measurements that anyone can run again; the last figures stand in RESULTS.md."""
