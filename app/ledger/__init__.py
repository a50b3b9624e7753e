"""The ledger as people read it: a snapshot of all rows, balances and their proof, exports, reports, traces."""
