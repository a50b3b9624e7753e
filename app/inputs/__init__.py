"""Recorded input: files as records in the order in which they came."""
