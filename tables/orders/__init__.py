"""The ledger: orders, their accounts, and the postings that come of them."""
