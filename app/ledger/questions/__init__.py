"""What people ask: reports, traces, lists, status, and the decisions that answer them."""
