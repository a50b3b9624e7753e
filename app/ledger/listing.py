"""Lists of what waits: parked accounts, postings that need somebody, refused records."""

from typing import Any

from app.ledger.export import quantity_text
from app.ledger.snapshot import Snapshot
from schemas.codes import owner_of
from tables.account import account_key, waits
from tables.posting_state import PARKED, REJECTED
from tables.quantity import decimal_text


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
        for row in snapshot.of("orders", "a|")
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
        for row in snapshot.of("delivery", "p|")
        if row.state in (PARKED, REJECTED) and not row.replaced_by and account in ("", row.posting.account)
    ]
    return found, [_parked_line(entry) for entry in found]


def _parked_line(entry: dict[str, Any]) -> str:
    what = f"posting {entry['posting']} {entry['state']}" if entry["posting"] else entry["account"]
    return f"{entry['quantity']:>12} {entry['unit']:<4} {entry['code']:<22} {entry['owner']:<12} {what}   {entry['detail']}"


def exception_lines(snapshot: Snapshot, code: str) -> tuple[list[dict[str, Any]], list[str]]:
    found = [
        {
            "code": letter.code,
            "owner": owner_of(letter.code),
            "detail": letter.detail,
            "position": f"{letter.raw_source}:{letter.raw_offset}",
            "source": letter.source,
            "stage": letter.stage,
            "original": letter.original.decode(errors="replace"),
        }
        for letter in snapshot.letters
        if code in ("", letter.code)
    ]
    return found, [_letter_line(entry) for entry in found]


def _letter_line(entry: dict[str, Any]) -> str:
    first = f"{entry['code']:<18} {entry['owner']:<12} {entry['position']:<32} {entry['detail']}"
    return f"{first}\n    {_printable(entry['original'][:200])}"


def _printable(original: str) -> str:
    """Safe on a terminal: an original may be bytes of any kind."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in original)
