"""What people said may be sent to an ERP: everything, nothing, or only what is on its way."""

from schemas.records import Decision, EndpointRow

PAUSE, DRAIN, RESUME = MODES = ("pause", "drain", "resume")
MOST_ORDERS = 20
"""Kept of an endpoint, for `status` and `trace`; all of them are in the log."""


def ordered(row: EndpointRow | None, order: Decision) -> EndpointRow | None:
    """The row with one more order; None: it was taken in before. `order.decision`: one of MODES."""
    known = row.orders if row is not None else []
    if order.event_id in {one.event_id for one in known}:
        return None
    return EndpointRow(order.decision, [*known, order][-MOST_ORDERS:])


def mode_of(row: EndpointRow | None) -> str:
    """One of MODES."""
    return row.mode if row is not None else RESUME


def sentence(row: EndpointRow | None) -> str:
    """Who stopped what, and why; empty: everything may be sent."""
    if row is None or row.mode == RESUME:
        return ""
    last, what = row.orders[-1], "paused" if row.mode == PAUSE else "draining: nothing new is sent"
    return f"{what}, by {last.who[:12]}: {last.why}"
