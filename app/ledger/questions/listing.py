"""Lists of what waits: parked accounts, postings that need somebody, refused records."""

from collections.abc import Sequence
from typing import Any

from app.ledger.books.letters import Life
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.ages import age_text
from app.ledger.questions.deciding import decide_line
from app.ledger.questions.export import quantity_text
from app.ledger.questions.floor_needs import scrap_beyond_orders
from app.ledger.questions.moments import iso
from app.ledger.questions.needs import listed_nowhere_else, since_of
from app.ledger.questions.originals import original_text, printable
from app.ledger.questions.rule_needs import amounts_without_effect
from schemas.codec import Codec
from schemas.codes import owner_of
from tables.delivery.posting_state import PARKED, REJECTED, UNKNOWN
from tables.orders.account import account_key, waits
from tables.quantity import decimal_text


def parked_lines(snapshot: Snapshot, account: str, now: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Parked accounts, postings that somebody has to look at (parked, rejected) or may (unknown), scrap beyond what was
    ordered, and amounts of rules that have no effect; of a live installation, which has no report, also what of the floor needs
    somebody. `account`: of one only. `now`: microseconds, which ages are counted to."""
    found = [
        {
            "account": account_key(row),
            "posting": "",
            "state": "dropped" if one.dropped else "parked",
            "quantity": quantity_text(one.quantity) if one.apart else decimal_text(row.parked, row.scale),
            "unit": one.unit,
            "code": one.code,
            "detail": one.detail,
            "since": since_of(row, one),
        }
        for row in ([snapshot.account(account)] if account else snapshot.accounts_that_wait())
        if row is not None
        for one in waits(row)
        if one.quantity
        or account  # a code with nothing parked says what would happen to more: each account of a closed order has one
    ]
    found += [
        {
            "account": row.posting.account,
            "posting": row.posting.posting_id,
            "state": row.state,
            "quantity": decimal_text(row.posting.amount, row.posting.scale),
            "unit": row.posting.unit,
            "code": row.code,
            "detail": row.detail,
            "since": row.posting.cut,
        }
        for row in snapshot.postings_in((PARKED, REJECTED, UNKNOWN))
        if not row.replaced_by and account in ("", row.posting.account)
    ]
    found += [
        {
            "account": f"order {one.about}",
            "posting": "",
            "state": "recorded",
            "quantity": quantity_text(one.quantity),
            "unit": one.unit,
            "code": one.why.code,
            "detail": one.why.detail,
            "since": one.since,
        }
        for one in (scrap_beyond_orders(snapshot) if not account else ())
    ]
    found += [
        {
            "account": one.account,
            "posting": "",
            "state": "rule",
            "quantity": "",
            "unit": "",
            "code": one.why.code,
            "detail": one.why.detail,
            "since": one.since,
        }
        for one in (amounts_without_effect(snapshot) if not account else ())
    ]
    found += [
        {
            "account": "",
            "posting": "",
            "state": "floor",
            "quantity": "",
            "unit": "",
            "code": one.code,
            "detail": one.what,
            "since": one.since,
            "decide": one.command,
        }
        for one in (listed_nowhere_else(snapshot) if not (account or snapshot.finished) else ())
    ]
    entries = [_told(entry, now) for entry in found]
    return entries, [_parked_line(entry) for entry in entries]


def _told(entry: dict[str, Any], now: int) -> dict[str, Any]:
    since = entry["since"]
    told = {"owner": owner_of(entry["code"]), "since": iso(since) if since else "", "age": age_text(since, now)}
    return {"decide": decide_line(entry["account"], entry["posting"], entry["state"], entry["code"]), **entry, **told}


def _parked_line(entry: dict[str, Any]) -> str:
    what = f"posting {entry['posting']} {entry['state']}" if entry["posting"] else entry["account"]
    line = f"{entry['quantity']:>12} {entry['unit']:<4} {entry['age']:>7}  {entry['code']:<22} {entry['owner']:<12} {what}   "
    decide = f"\n{'':<27}{entry['decide']}" if entry["decide"] else ""
    return f"{line}{entry['detail']}{decide}"


def exception_lines(found: Sequence[Life], codec: Codec) -> tuple[list[dict[str, Any]], list[str]]:
    """Dead letters with what they kept. `codec`: of the ledger that they are in."""
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
            "original": original_text(life.letter, codec),
        }
        for life in found
    ]
    return entries, [
        f"{entry['id']}  {entry['state']:<9} {entry['code']:<18} {entry['owner']:<12} {entry['position']:<32} {entry['detail']}\n"
        f"    {printable(entry['original'][:200])}"
        for entry in entries
    ]


def letter_lines(life: Life, codec: Codec) -> tuple[dict[str, Any], list[str]]:
    """One dead letter with all that was said of it."""
    (entry,), _ = exception_lines([life], codec)
    history = [
        {"state": told.state, "at": iso(told.occurred_at), "who": told.who, "why": told.why, "event_id": told.event_id}
        for told in life.told
    ]
    shown = [f"{name:<12} {printable(str(entry[name]))}" for name in entry if name != "original"]
    shown += [f"{'then':<12} {one['state']} {one['at']} by {one['who']}: {printable(one['why'])}" for one in history]
    return {**entry, "history": history}, [
        *shown,
        f"{'original':<12} {printable(entry['original'])}",
    ]
