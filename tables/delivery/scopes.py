"""How far it reaches what an ERP said, or that it said nothing: one document, its lane, a material, or everybody."""

from schemas.records import PostingRow
from tables.delivery.posting_state import MATERIAL_LOCKED, STOCK_SHORT

DOCUMENT = "document"
"""Nothing but what was sent: a shortage, a race that is over when it is told."""
LANE = "lane"
"""The order: a lock on its rows, a call of it that got no answer."""
MATERIAL = "material"
"""A lock on a material: every document that moves it."""
LOAD = "load"
"""The ERP answers, and asks everybody to call less."""
ENDPOINT = "endpoint"
"""The ERP is away, or lets nobody in."""
NARROW = frozenset({LANE, MATERIAL})
"""Others are not concerned; what is concerned waits by itself."""
WIDE = frozenset({LOAD, ENDPOINT})
"""It says nothing about the posting that found it out."""

OF_CODES = {
    STOCK_SHORT: DOCUMENT,
    "LOT_RACE": DOCUMENT,
    "POSTING_DUPLICATE": DOCUMENT,
    "ORDER_LOCKED": LANE,
    "LOCKED": LANE,
    MATERIAL_LOCKED: MATERIAL,
    "ERP_THROTTLED": LOAD,
    "ERP_UNREACHABLE": ENDPOINT,
    "REQUEST_NOT_SENT": ENDPOINT,
    "ERP_ACCESS": ENDPOINT,
    "ERP_UNAVAILABLE": ENDPOINT,
    "ERP_LOGIN_REFUSED": ENDPOINT,
    "ERP_SESSION": ENDPOINT,
}
"""What every adapter means by a code. Of another one, or where the same code can mean both, it says so itself."""


def scope_of(stated: str, code: str) -> str:
    """Empty: nobody said."""
    return stated or OF_CODES.get(code, "")


def suspected(row: PostingRow) -> bool:
    """Its next call may again find a lane that does not answer, or a lock: it goes with the share of such calls."""
    return row.unresolved > 0 or row.scope in NARROW
