"""Marks of delivery's position that concern the ERP and no posting. All in UTC microseconds."""

HELD_UNTIL = "erp_held_until"
"""Before it the ERP asked to be left alone."""
AWAY_SINCE = "erp_away_since"
"""It has not answered since; no mark: it does."""
QUOTA_UNTIL = "erp_quota_until"
"""Its quota is used up before then, and comes back bit by bit; no mark: it is not."""
