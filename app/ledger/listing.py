"""Lists of what waits: parked accounts, postings that need somebody, refused records."""

from collections.abc import Sequence
from typing import Any

from app.ledger.export import quantity_text
from app.ledger.letters import Life
from app.ledger.snapshot import Snapshot
from app.ledger.trace import iso
from schemas.codes import owner_of
from tables.account import account_key, waits
from tables.posting_state import PARKED, REJECTED
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS


def parked_lines(snapshot: Snapshot, account: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Parked accounts, and postings that somebody has to look at (parked, rejected); `account`: of one only."""
    found = [
        {
            "account": account_key(row),
            "posting": "",
            "state": "parked",
            "quantity": quantity_text(one.quantity) if one.apart else decimal_text(row.parked, row.scale),
            "unit": one.unit,
            "code": one.code,
            "owner": owner_of(one.code),
            "detail": one.detail,
        }
        for row in snapshot.of(ACCOUNT_ROWS)
        if account in ("", account_key(row))
        for one in waits(row)
    ]
    found += [
        {
            "account": row.posting.account,
            "posting": row.posting.posting_id,
            "state": row.state,
            "quantity": decimal_text(row.posting.amount, row.posting.scale),
            "unit": row.posting.unit,
            "code": row.code,
            "owner": owner_of(row.code),
            "detail": row.detail,
        }
        for row in snapshot.of(POSTING_ROWS)
        if row.state in (PARKED, REJECTED) and not row.replaced_by and account in ("", row.posting.account)
    ]
    return found, [_parked_line(entry) for entry in found]


def _parked_line(entry: dict[str, Any]) -> str:
    what = f"posting {entry['posting']} {entry['state']}" if entry["posting"] else entry["account"]
    return f"{entry['quantity']:>12} {entry['unit']:<4} {entry['code']:<22} {entry['owner']:<12} {what}   {entry['detail']}"


def exception_lines(found: Sequence[Life]) -> tuple[list[dict[str, Any]], list[str]]:
    entries = [
        {
            "id": life.id,
            "state": life.state,
            "code": life.letter.code,
            "owner": owner_of(life.letter.code),
            "detail": life.letter.detail,
            "position": f"{life.letter.raw_source}:{life.letter.raw_offset}",
            "source": life.letter.source,
            "stage": life.letter.stage,
            "received_at": iso(life.letter.received_at) if life.letter.received_at else "",
            "original": life.letter.original.decode(errors="replace"),
        }
        for life in found
    ]
    return entries, [
        f"{entry['id']}  {entry['state']:<9} {entry['code']:<18} {entry['owner']:<12} {entry['position']:<32} {entry['detail']}\n"
        f"    {_printable(entry['original'][:200])}"
        for entry in entries
    ]


def letter_lines(life: Life) -> tuple[dict[str, Any], list[str]]:
    """One dead letter with all that was said of it."""
    (entry,), _ = exception_lines([life])
    history = [
        {"state": told.state, "at": iso(told.occurred_at), "who": told.who, "why": told.why, "event_id": told.event_id}
        for told in life.told
    ]
    shown = [f"{name:<12} {_printable(str(entry[name]))}" for name in entry if name != "original"]
    shown += [f"{'then':<12} {one['state']} {one['at']} by {one['who']}: {_printable(one['why'])}" for one in history]
    return {**entry, "history": history}, [
        *shown,
        f"{'original':<12} {_printable(entry['original'])}",
    ]


def _printable(original: str) -> str:
    """Safe on a terminal: an original may be bytes of any kind."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in original)
