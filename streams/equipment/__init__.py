"""Stage equipment: counters become pieces, and every piece belongs to a run."""
