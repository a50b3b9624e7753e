"""Stage orders: totals and order events become accounts and postings."""
