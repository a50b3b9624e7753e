"""Stage delivery: postings go to the ERP, in order, and what it answers comes back."""
