"""The plant as folds need it: its calendar and periods, times, units, and who owns which field."""
