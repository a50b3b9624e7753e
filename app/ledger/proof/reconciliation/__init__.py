"""Reconciliation: every statement of the ledger that can be checked against another one, checked. Sentences come out."""
