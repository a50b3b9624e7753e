"""What a posting, an equipment or a code has behind it, from the ledger's rows."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from app.ledger.balance import counts_of, order_of, units_of
from app.ledger.export import quantity_text, sources_text
from app.ledger.snapshot import Snapshot
from schemas.records import AccountRow, IssuedPosting, PostingRow
from tables import account as ledger
from tables.account import account_key
from tables.attribution import Ownership
from tables.calendar import Calendar
from tables.quantity import decimal_text, fraction
from tables.rejected import Rejected


def trace_lines(snapshot: Snapshot, what: str, at: str) -> tuple[dict[str, Any], list[str]]:
    """A posting id, or an equipment at a moment. found["ok"]: it is known and adds up."""
    for row in snapshot.of("orders", "a|"):
        for posting in row.issued:
            if posting.posting_id == what:
                return _posting(snapshot, row, posting)
    for row in snapshot.of("equipment", "e|"):
        if row.equipment == what:
            return _equipment(snapshot, row, at)
    return {"ok": False, "code": "NOT_FOUND"}, [f"{what} is neither a posting nor an equipment of this ledger"]


def _posting(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting) -> tuple[dict[str, Any], list[str]]:
    delivered: PostingRow | None = snapshot.rows.get("delivery", {}).get(f"p|{posting.posting_id}")
    counts = counts_of(snapshot.configuration, order_of(snapshot, row), row)
    units = units_of(snapshot)
    amount = ledger.recorded(row, counts, row.unit, units)
    issued = sum(entry.amount for entry in row.issued)
    adds_up = (
        not isinstance(amount, Rejected)
        and issued == row.posted
        and posting.cumulative == sum(entry.amount for entry in row.issued if entry.sequence <= posting.sequence)
    )
    sign = "+" if posting.amount >= 0 else ""
    status = (delivered.state if delivered is not None else posting.status).upper()
    lines = [
        f"{sign}{decimal_text(posting.amount, row.scale)} {row.unit} {row.kind}{f' ({row.reason})' if row.reason else ''}   "
        f"order {row.order} op {row.operation}   {row.material} lot {row.lot or '-'}   "
        f"{row.plant} / {row.location or '-'}   {status}",
        f"Booked    {_booked(posting, delivered)}   document date {row.business_date}",
        f'Because   rule "{posting.rule}" (version {posting.rule_version}), cut {_iso(posting.cut)}',
        "Quantity",
    ]
    for key, source in sorted(row.sources.items()):
        if counts[key] and source.numerator:
            value = units.convert(Fraction(source.numerator, source.denominator), source.unit, row.unit, row.material)
            shown = "?" if isinstance(value, Rejected) else quantity_text(counts[key] * value)
            lines.append(f"          {source.equipment or '-':<12} run {source.run or '-':<16} {source.kind:<8} {shown:>14}")
    history = "  ".join(f"#{entry.sequence} {decimal_text(entry.amount, row.scale)}" for entry in row.issued)
    rest = "?" if isinstance(amount, Rejected) else quantity_text(amount - fraction(row.posted, row.scale))
    lines += [
        f"Account   {history}   total {decimal_text(row.posted, row.scale)}   not posted or carry {rest}",
        f"Sources   {sources_text(posting.ranges)}: {posting.records} records",
        f"Checked   sources re-added, postings of the account re-added: {'OK' if adds_up else 'DOES NOT ADD UP'}",
    ]
    found = {
        "ok": adds_up,
        "posting_id": posting.posting_id,
        "account": account_key(row),
        "amount": decimal_text(posting.amount, row.scale),
        "unit": row.unit,
        "status": status,
        "rule": posting.rule,
        "rule_version": posting.rule_version,
        "records": posting.records,
        "sources": [entry.to_avro() for entry in posting.ranges],
        "erp_document": delivered.erp_document if delivered is not None else posting.erp_document,
    }
    return found, lines


def _booked(posting: IssuedPosting, delivered: PostingRow | None) -> str:
    if delivered is None:
        return f"document {posting.erp_document}, long ago" if posting.erp_document else "not yet with delivery"
    tries = f"{delivered.attempts} attempts, {delivered.finds} read-backs"
    if delivered.erp_document:
        return f"document {delivered.erp_document} ({delivered.stock_type or 'unrestricted'}), {tries}"
    return f"{delivered.state} {delivered.code} {delivered.detail} ({tries})"


def _equipment(snapshot: Snapshot, row: Any, at: str) -> tuple[dict[str, Any], list[str]]:
    section = snapshot.configuration.plant.calendar
    zone = snapshot.configuration.plant.plant.zone
    calendar = Calendar(zone, section.shifts, section.business_date, section.outside_shift, section.days_off)
    ownership = Ownership(row, calendar, snapshot.configuration.plant.attribution.run_grace_us)
    try:
        moment = int(datetime.fromisoformat(at).timestamp() * 1_000_000) if at else row.clock
    except ValueError:
        return {"ok": False, "code": "BAD_TIME"}, [f"--at {at} is no ISO 8601 time"]
    span = ownership.at(moment)
    run = span.run.run if span.run is not None else ""
    outputs = [f"{output.material} lot {output.lot or '-'} x {output.factor}" for output in span.outputs]
    lines = [
        f"{row.equipment} at {_iso(moment)}: {f'run {run} order {span.run.order}' if span.run is not None else 'no run'}"
        f", business date {span.business_date}",
        *(f"  makes {output}" for output in outputs),
        *(f"  loaded at {position}: {load.material or 'nothing'} lot {load.lot or '-'}" for position, load in span.loads),
        f"  seen so far: {dict(row.tally)}",
    ]
    return {"ok": True, "equipment": row.equipment, "run": run, "outputs": outputs, "business_date": span.business_date}, lines


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


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat()
