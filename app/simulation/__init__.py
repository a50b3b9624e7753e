"""Posting rules tried on history: the pure folds in one process, without broker and without ERP. Nothing outside is touched."""
