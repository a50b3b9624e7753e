"""Brokers, topics and the schema registry: what must be there before a stage starts."""
