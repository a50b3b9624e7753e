"""How long something waits, as people say it."""

MINUTE_US = 60 * 1_000_000
HOUR_US, DAY_US = 60 * MINUTE_US, 24 * 60 * MINUTE_US


def span_text(seconds: int) -> str:
    """`40 s`, `15 min`, `7 h`, `12 d`: whole units, cut."""
    return f"{seconds} s" if seconds < 120 else age_text(1, 1 + seconds * 1_000_000)


def age_text(since: int, now: int) -> str:
    """`40 min`, `7 h`, `12 d`: whole units, cut. Microseconds; empty: nothing says since when."""
    waited = max(0, now - since)
    if not since:
        return ""
    if waited >= 2 * DAY_US:
        return f"{waited // DAY_US} d"
    return f"{waited // HOUR_US} h" if waited >= 2 * HOUR_US else f"{waited // MINUTE_US} min"
