"""Why a posting is what it is: its rule, its records read and added again, its account's history, and what came of it."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.ledger.books.inputs import SourceExpired
from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Around, Sources
from app.ledger.proof.balance import counts_of, order_of, units_of
from app.ledger.proof.readdition import ReAdded, ReAddition, ReAdditions
from app.ledger.proof.recount import Recounted
from app.ledger.proof.summands import Summand
from app.ledger.questions.export import quantity_text, sources_text
from app.ledger.questions.in_erp import delivery_of, missing, state_of, waited
from app.ledger.questions.moments import iso
from app.ledger.questions.trace_lots import consumed, holds, made_from
from schemas.records import AccountRow, EndpointRow, IssuedPosting, OrderRow, PostingRow, RunState
from tables.delivery.posting_state import ACCEPTED, CANCELLED
from tables.orders import account as ledger
from tables.orders.account import TIMES, account_key, escaped
from tables.orders.components import component_of, components_for, pinned
from tables.quantity import decimal_text, exact_text, fraction
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, ENDPOINT_ROWS, EQUIPMENT_ROWS

OK, DIFFERS, EXPIRED = "OK", "SOURCE_DIFFERS", SourceExpired.code
LISTED = 12
"""Lines of one kind; what is beyond is summed up."""
Found = tuple[dict[str, Any], list[str]]


@dataclass(slots=True)
class Checked:
    """The verdict of re-reading. `verdict`: OK | SOURCE_DIFFERS | SOURCE_EXPIRED."""

    verdict: str
    detail: str
    added: ReAdded | None = None
    before: ReAdded | None = None
    """The account at the cut of the posting before this one."""
    again: ReAddition | None = None


def check(
    snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, sources: Sources, known: ReAdditions | None = None
) -> Checked:
    """Read the records of a posting again and add them up. `known`: what was read already (for many postings).

    What the ledger's rows say about where to look is tried first. It never makes a posting wrong: that is said only of all the
    records that there are.
    """
    siblings = [other for other in snapshot.of(ACCOUNT_ROWS, row.plant, escaped(row.order)) if other.order == row.order]
    checked = Checked(EXPIRED, "nothing was read")
    try:
        sources.check(posting.ranges)
        configuration = sources.configuration(snapshot, posting)
        if known is not None:
            return _checked_by(row, posting, siblings, known.by(configuration))
        for records in sources.around(snapshot, _around(snapshot, row, posting, siblings)):
            checked = _checked_by(row, posting, siblings, ReAddition(records, configuration))
            if checked.verdict == OK:
                break
    except SourceExpired as gone:
        return Checked(EXPIRED, f"{gone}; stored: {posting.records} records, {sources_text(posting.ranges)}")
    return checked


def _checked_by(row: AccountRow, posting: IssuedPosting, siblings: list[AccountRow], again: ReAddition) -> Checked:
    added = again.posting(row, posting, siblings)
    earlier = [entry for entry in row.issued if entry.cut < posting.cut]
    before = again.posting(row, earlier[-1], siblings) if earlier else None
    wrong = _verdict(row, posting, added)
    if wrong is not None and not again.complete:
        detail = f"what came before is gone, and without it {wrong.detail}"
        return Checked(EXPIRED, detail, added, before, again)
    return Checked(OK if wrong is None else wrong.code, "" if wrong is None else wrong.detail, added, before, again)


def _around(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, siblings: list[AccountRow]) -> Around:
    """Where the records of a posting are to be looked for: at the equipment of the order, since what holds for it was told."""
    names = equipment_of(snapshot, siblings)
    same = [other for other in siblings if (other.operation, other.business_date) == (row.operation, row.business_date)]
    first = min((one.first_at for other in same for one in other.sources.values() if one.first_at), default=posting.cut)
    since = [first]
    for equipment in snapshot.of(EQUIPMENT_ROWS):
        if equipment.equipment in names:
            since += [run.started_at for run in equipment.runs if run.started_at is not None and _makes(run, row.order)]
            for position in {load.position for load in equipment.loads}:
                held = [load.from_at for load in equipment.loads if load.position == position and load.from_at <= first]
                since += held[-1:]
            since += [span.from_at for span in equipment.states if span.from_at <= first][-1:] if row.kind in TIMES else []
    return Around(row.plant, row.order, frozenset(names), posting, min(since))


def _verdict(row: AccountRow, posting: IssuedPosting, added: ReAdded) -> Refusal | None:
    """None: everything agrees."""
    if added.cumulative is None:
        return _differs(f"the records cannot be added: {added.note}")
    at_cut = [entry for entry in row.issued if entry.cut == posting.cut]
    posted = sum(entry.amount for entry in at_cut)
    if added.steps != posted or at_cut[-1].cumulative != added.cumulative:
        text = f"{decimal_text(added.steps, row.scale)} {row.unit}"
        return _differs(f"records re-read and re-added come to {text}, posted are {decimal_text(posted, row.scale)}")
    derived = any(summand.kind == "backflush" for summand in added.summands)  # its lineage is that of the pieces it follows
    if added.records != posting.records and not derived:
        return _differs(f"{added.records} records say this, the posting names {posting.records}")
    sums = [entry.amount for entry in row.issued if entry.sequence <= posting.sequence]
    if sum(sums) != posting.cumulative:
        return _differs(f"the account's postings up to this one come to {sum(sums)} steps, it says {posting.cumulative}")
    if sum(entry.amount for entry in row.issued) != row.posted:
        return _differs(
            f"the account says {row.posted} steps posted, its postings come to {sum(entry.amount for entry in row.issued)}"
        )
    return None


def _differs(sentence: str) -> Refusal:
    return Refusal("SOURCE_DIFFERS", sentence)


def equipment_of(snapshot: Snapshot, accounts: list[AccountRow]) -> set[str]:
    """Equipment that gave something to an order, or has it in a run, now or in between."""
    found = {source.equipment for row in accounts for source in row.sources.values() if source.equipment}
    names = {row.order for row in accounts}
    for row in snapshot.of(EQUIPMENT_ROWS):
        ran = any(_makes(run, name) for run in row.runs for name in names)
        if ran or any(key.split("\x1f", 3)[2] in names for key in row.totals):
            found.add(row.equipment)
    return found


def _makes(run: RunState, order: str) -> bool:
    return run.order == order or any(output.order == order for segment in run.segments for output in segment.outputs)


def posting_of(snapshot: Snapshot, posting_id: str) -> tuple[AccountRow, IssuedPosting] | None:
    for row in snapshot.accounts_of_posting(posting_id):
        for posting in row.issued:
            if posting.posting_id == posting_id:
                return row, posting
    return None


def _missing(delivered: PostingRow | None) -> list[str]:
    names = delivered.posting.missing_sources if delivered is not None else []
    return [f"Missing   {', '.join(names)}: silent at the cut; what they had to say is not in it"] if names else []


def _correlated(delivered: PostingRow | None) -> list[str]:
    """Ids of the records behind it, as their source states them."""
    ids = delivered.posting.correlation_ids if delivered is not None else []
    return [f"Messages  {', '.join(ids)}"] if ids else []


def trace_posting(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, sources: Sources) -> Found:
    """Every line answers a question; found["ok"]: re-read, re-added, and equal."""
    delivered = delivery_of(snapshot, posting.posting_id)
    checked = check(snapshot, row, posting, sources)
    status = (delivered.state if delivered is not None else posting.status).upper()
    order = order_of(snapshot, row)
    revision = f"; BOM rev {order.bom_revision}" if order.bom_revision else ""
    lines = [
        f"{_signed(posting.amount, row.scale)} {row.unit} {row.kind}{f' ({row.reason})' if row.reason else ''}   "
        f"order {row.order} op {row.operation}   {row.material} lot {row.lot or '-'}   "
        f"{row.plant} / {row.location or '-'}   {status}",
        f"Booked    {_booked(posting, delivered)}   document date {row.business_date}",
        f'Because   rule "{posting.rule}" (rules version {posting.rule_version}), cut {iso(posting.cut)}{revision}',
        f"Waited    {waited(posting, delivered)}",
        *_decided(delivered),
        *_stopped(snapshot, delivered),
        *_quantity(row, posting, checked, _of_the_bill(snapshot, row, order)),
        f"Account   {_history(snapshot, row, posting)}",
        f"Sources   {sources_text(posting.ranges)}: {posting.records} records",
        *_correlated(delivered),
        *_missing(delivered),
        *_arrivals(snapshot, row, posting, checked),
        *made_from(snapshot, row),
        *consumed(snapshot, row),
        *holds(snapshot, row, posting, delivered),
        *_since(snapshot, row),
        f"Checked   {_checked(snapshot, row, posting, checked)}",
    ]
    found = {
        "ok": checked.verdict == OK,
        "verdict": checked.verdict,
        "detail": checked.detail,
        "posting_id": posting.posting_id,
        "account": account_key(row),
        "amount": decimal_text(posting.amount, row.scale),
        "re_added": None if checked.added is None else decimal_text(checked.added.steps, row.scale),
        "unit": row.unit,
        "status": status,
        "rule": posting.rule,
        "rule_version": posting.rule_version,
        "records": posting.records,
        "sources": [entry.to_avro() for entry in posting.ranges],
        "correlation_ids": list(delivered.posting.correlation_ids) if delivered is not None else [],
        "missing_sources": list(delivered.posting.missing_sources) if delivered is not None else [],
        "erp_document": delivered.erp_document if delivered is not None else posting.erp_document,
        "quantity": [
            {
                "equipment": entry.equipment,
                "run": entry.run,
                "kind": entry.kind,
                "factor": entry.factor,
                "quantity": exact_text(entry.quantity),
            }
            for entry in _own(checked)
        ],
    }
    return found, lines


def _signed(amount: int, scale: int) -> str:
    return f"{'+' if amount >= 0 else ''}{decimal_text(amount, scale)}"


def _booked(posting: IssuedPosting, delivered: PostingRow | None) -> str:
    if delivered is None:
        return f"document {posting.erp_document}, long ago" if posting.erp_document else "not yet with delivery"
    if delivered.erp_document:
        movements = [
            f"{m.type} {decimal_text(m.amount, m.scale)} {m.unit}{' (made by the ERP)' if m.derived else ''}"
            for m in posting.movements
        ]
        stock = delivered.stock_type or "unrestricted"
        return f"document {delivered.erp_document} ({stock})   {', '.join(movements) or 'no movement'}"
    return f"{delivered.state} {delivered.code} {delivered.detail}".rstrip()


def _decided(delivered: PostingRow | None) -> list[str]:
    """What people decided about it."""
    made = delivered.decisions if delivered is not None else []
    return [f"Decided   {one.decision} at {iso(one.at)} by {one.who[:12]}: {one.why}" for one in made[-LISTED:]]


def _stopped(snapshot: Snapshot, delivered: PostingRow | None) -> list[str]:
    """Of one that its ERP does not have: what people said may be sent there."""
    if delivered is None or delivered.state in (ACCEPTED, CANCELLED):
        return []
    row: EndpointRow | None = snapshot.rows.get("delivery", {}).get(ENDPOINT_ROWS.key(delivered.posting.endpoint))
    orders = row.orders if row is not None else []
    return [f"ERP       {one.decision} at {iso(one.at)} by {one.who[:12]}: {one.why}" for one in orders[-LISTED:]]


def _own(checked: Checked) -> list[Summand]:
    """What this posting added to the one before it, source by source and factor by factor."""
    if checked.added is None:
        return []
    sums: dict[tuple[str, str, str, int], Summand] = {}
    for sign, added in ((1, checked.added), (-1, checked.before)):
        for one in added.summands if added is not None else ():
            key = (one.equipment, one.run, one.kind, one.factor)
            known = sums.get(key)
            count = (known.count if known else 0) + sign * one.count
            quantity = (known.quantity if known else Fraction(0)) + sign * one.quantity
            sums[key] = Summand(one.equipment, one.run, one.kind, one.factor, count, one.first_at, quantity)
    return [one for _, one in sorted(sums.items()) if one.quantity]


def _of_the_bill(snapshot: Snapshot, row: AccountRow, order: OrderRow) -> str:
    """How much of a component its pieces need; empty: no bill knows it."""
    component = component_of(components_for(snapshot.configuration, order, pinned(row), row), row)
    if row.kind != "consumption" or component is None:
        return ""
    need = component.quantity
    return f"x {decimal_text(need.amount, need.scale)} {need.unit} / {component.base}"


def _quantity(row: AccountRow, posting: IssuedPosting, checked: Checked, per_piece: str) -> list[str]:
    """Per run, kind and factor; then what rounding and limits leave, and the posting. `per_piece`: of what follows pieces."""
    own = _own(checked)
    if not own:
        return []
    lines = []
    for one in own[:LISTED]:
        what = f"{one.count} counts x {one.factor}" if one.kind in ("gross", "good") else one.kind
        where = f"{one.equipment or 'declared'} run {one.run or '-'}"
        if one.kind == "backflush":
            where, what = "pieces of the operation, by the bill", per_piece or one.kind
        lines.append(f"{where:<36} {what:<28} {_text(one.quantity):>14}")
    rest = sum((one.quantity for one in own[LISTED:]), Fraction(0))
    if own[LISTED:]:
        lines.append(f"{len(own) - LISTED} more{'':<58} {_text(rest):>14}")
    same_cut = [entry for entry in row.issued if entry.cut == posting.cut]
    beside = sum(entry.amount for entry in same_cut) - posting.amount
    if beside:  # a correction by reversal, or shares of several reservation items
        lines.append(f"{f'{len(same_cut) - 1} other postings of this cut':<65} {_text(-fraction(beside, row.scale)):>14}")
    left = fraction(posting.amount + beside, row.scale) - sum((one.quantity for one in own), Fraction(0))
    if left:
        note = checked.added.note if checked.added is not None and checked.added.note else "rounding (carry)"
        lines.append(f"{note:<65} {_text(left):>14}")
    lines.append(f"{'this posting':<65} {'=' + decimal_text(posting.amount, row.scale):>14}")
    return [f"{'Quantity' if index == 0 else '':<10}{line}" for index, line in enumerate(lines)]


def _text(value: Fraction) -> str:
    return ("+" if value >= 0 else "") + quantity_text(value)


def _history(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting) -> str:
    entries = [
        f"#{entry.sequence} {decimal_text(entry.amount, row.scale)}{' (this)' if entry.posting_id == posting.posting_id else ''}"
        for entry in row.issued
    ]
    amount = ledger.recorded(row, counts_of(snapshot.configuration, order_of(snapshot, row), row), row.unit, units_of(snapshot))
    carry = amount - fraction(row.target, row.scale)
    rest = decimal_text(row.target - row.posted, row.scale)
    elsewhere = missing(snapshot, row)
    return (
        f"{'  '.join(entries)}   total {decimal_text(row.posted, row.scale)}   not posted {rest}   carry {quantity_text(carry)}"
        f"{f'   not in the ERP: {elsewhere}' if elsewhere else ''}"
    )


def _arrivals(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, checked: Checked) -> list[str]:
    """Late records, repeated ones and falls of counters of the equipment behind the posting, up to its cut."""
    if checked.again is None:
        return []
    names = sorted({one.equipment for one in _own(checked) if one.equipment})
    lines = []
    for name in names[:LISTED]:
        counted: Recounted = checked.again.equipment(name, posting.cut)
        falls: dict[str, list[int]] = defaultdict(list)
        for fall in counted.falls:
            if fall.was != "undecided":
                falls[fall.was].append(fall.at)
        resets = ", ".join(
            f"{len(at)} {was}{'s, the first' if len(at) > 1 else ''} at {iso(min(at))}" for was, at in sorted(falls.items())
        )
        late, repeated = counted.tally["late"], counted.tally["duplicates"]
        lines.append(f"          {name}: {late} arrived late, {repeated} duplicates ignored, {resets or 'no reset'}")
    return lines


def _since(snapshot: Snapshot, row: AccountRow) -> list[str]:
    """What the account got after its last posting."""
    rest = row.target - row.parked - row.posted
    apart = [
        f"Since     {quantity_text(one.quantity)} {one.unit} parked {one.code}: {one.detail}"
        for one in ledger.waits(row)
        if one.apart
    ]
    lines = list(apart)
    if row.covered:
        return apart
    if rest:
        due = f", due {iso(row.due_at)}" if row.due_at is not None else ", no rule asks for it yet"
        lines.append(f"Since     {_signed(rest, row.scale)} {row.unit} not posted{due}")
    if row.parked:
        lines.append(f"Since     {decimal_text(row.parked, row.scale)} {row.unit} parked {row.code}: {row.detail}")
    elsewhere = missing(snapshot, row)
    if elsewhere:
        lines.append(f"{'          ' if lines else 'Since     nothing more came; '}the ERP does not have {elsewhere}")
    return lines or ["Since     nothing: the account holds what was posted"]


def _checked(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, checked: Checked) -> str:
    if checked.verdict == OK:
        state = state_of(snapshot, posting)
        what = "posted quantity" if state == ACCEPTED else f"quantity of the posting, which is {state} and not booked"
        return f"records re-read and re-added: {decimal_text(posting.amount, row.scale)} = {what}   OK"
    if checked.verdict == DIFFERS:
        return f"{checked.detail}   DOES NOT ADD UP"
    return f"{EXPIRED}: {checked.detail}"
