"""Lists of what waits: parked accounts, postings that need somebody, refused records."""

from typing import Any

from app.ledger.snapshot import Snapshot
from tables.account import account_key
from tables.quantity import decimal_text


def parked_lines(snapshot: Snapshot, account: str) -> tuple[list[dict[str, Any]], list[str]]:
    found = [
        {
            "account": account_key(row),
            "quantity": decimal_text(row.parked, row.scale),
            "unit": row.unit,
            "code": row.code,
            "detail": row.detail,
        }
        for row in snapshot.of("orders", "a|")
        if row.code and account in ("", account_key(row))
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
