"""Faust made fast and exact.

Faust keeps apps, agents, assignment, the table registry and stores, worker life cycle and sensors. This package replaces,
by subclassing, how records are delivered (transport.py: batches with a verified chain of positions), how rows and messages
are written (partition.py: one transaction per inbox partition), and how state is restored (restore.py, recovery.py).
stage.py puts them together: `StageApp` and `Step`. Nothing outside this package touches offsets.
"""
