"""Lists of what waits: parked accounts, postings that need somebody, refused records."""

from typing import Any

from app.ledger.export import quantity_text
from app.ledger.snapshot import Snapshot
from tables.account import account_key, waits
from tables.quantity import decimal_text


def parked_lines(snapshot: Snapshot, account: str) -> tuple[list[dict[str, Any]], list[str]]:
    found = [
        {
            "account": account_key(row),
            "quantity": quantity_text(one.quantity) if one.apart else decimal_text(row.parked, row.scale),
            "unit": one.unit,
            "code": one.code,
            "detail": one.detail,
        }
        for row in snapshot.of("orders", "a|")
        if account in ("", account_key(row))
        for one in waits(row)
    ]
    return found, [
        f"{entry['quantity']:>12} {entry['unit']:<4} {entry['code']:<22} {entry['account']}   {entry['detail']}"
        for entry in found
    ]


def exception_lines(snapshot: Snapshot, code: str) -> tuple[list[dict[str, Any]], list[str]]:
    found = [
        {
            "code": letter.code,
            "detail": letter.detail,
            "position": f"{letter.raw_source}:{letter.raw_offset}",
            "source": letter.source,
            "stage": letter.stage,
            "original": letter.original.decode(errors="replace"),
        }
        for letter in snapshot.letters
        if code in ("", letter.code)
    ]
    return found, [
        f"{entry['code']:<18} {entry['position']:<32} {entry['detail']}\n    {_printable(entry['original'][:200])}"
        for entry in found
    ]


def _printable(original: str) -> str:
    """Safe on a terminal: an original may be bytes of any kind."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in original)
