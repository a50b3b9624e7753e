"""The other way: from an order, a lot, or an equipment at a moment to the accounts and postings that hold what happened."""

from collections.abc import Iterator
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Sources
from app.ledger.proof.balance import STATES, Balance, Proof, prove
from app.ledger.questions.export import quantity_text
from app.ledger.questions.genealogy import Genealogy, LotName
from app.ledger.questions.in_erp import described, newest_of, state_of
from app.ledger.questions.moments import iso
from app.ledger.questions.trace import Found, posting_of, trace_posting
from app.ledger.questions.trace_lots import genealogy_lines, names
from schemas.records import AccountRow, EquipmentRow, IssuedPosting, OrderRow
from tables.delivery.posting_state import ACCEPTED, PARKED
from tables.equipment.attribution import Ownership
from tables.orders.account import BASIS, account_key, escaped, waits
from tables.orders.order import limit
from tables.plant.calendar import calendar_of
from tables.quantity import decimal_text, fraction
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS, ORDER_ROWS


def trace(snapshot: Snapshot, what: str, at: int | None, sources: Sources) -> Found:
    """A posting id, an order, a lot (LOT or MATERIAL|LOT), or an equipment (at a moment, microseconds; None: now).
    found["ok"]: it is known, and a posting adds up."""
    posting = posting_of(snapshot, what)
    if posting is not None:
        return trace_posting(snapshot, *posting, sources)
    for row in snapshot.of(EQUIPMENT_ROWS):
        if row.equipment == what:
            return _equipment(snapshot, row, at)
    plant = snapshot.configuration.plant.plant.id
    accounts = [row for row in snapshot.of(ACCOUNT_ROWS, plant, escaped(what)) if row.order == what]
    orders = [row for row in snapshot.of(ORDER_ROWS, plant) if row.order == what]
    if accounts or orders:
        return _order(snapshot, what, orders, accounts)
    genealogy = Genealogy(snapshot)
    lots = genealogy.called(what)
    named = [row for row in snapshot.of(ACCOUNT_ROWS) if row.lot and what in (row.lot, f"{row.material}|{row.lot}")]
    if lots or named:
        return _lot(snapshot, what, genealogy, lots, named)
    sentence = f"{what} is neither a posting, an order, a lot nor an equipment of this ledger; ids stand in postings.csv"
    return {"ok": False, "code": "NOT_FOUND"}, [sentence]


def _equipment(snapshot: Snapshot, row: EquipmentRow, asked: int | None) -> Found:
    """Whose moment it was, and which postings hold what was counted then."""
    plant = snapshot.configuration.plant
    moment = row.clock if asked is None else asked
    span = Ownership(row, calendar_of(plant), plant.attribution).at(moment)
    run = span.run.run if span.run is not None else ""
    orders = sorted({output.order for output in span.outputs if output.order} | ({span.run.order} if span.run else set()))
    outputs = [f"{output.material} lot {output.lot or '-'} x {output.factor}" for output in span.outputs]
    holding = list(_holding(snapshot, row, run, span.business_date, moment))
    ran = f"run {run} order {', '.join(orders)}" if span.run is not None else "no run: what was counted is unattributed"
    lines = [
        f"{row.equipment} at {iso(moment)}: {ran}, business date {span.business_date}",
        *(f"  makes {output}" for output in outputs),
        *(f"  loaded at {position}: {load.material or 'nothing'} lot {load.lot or '-'}" for position, load in span.loads),
        f"  seen so far: {', '.join(f'{count:,} {name}' for name, count in sorted(row.tally.items())) or 'nothing odd'}",
        *(
            f"  {account.kind:<13} {account.material or '-'} lot {account.lot or '-'}: "
            f"{f'posting {posting.posting_id} (cut {iso(posting.cut)})' if posting else 'not posted yet'}"
            for account, posting in holding
        ),
    ]
    found = {
        "ok": True,
        "equipment": row.equipment,
        "run": run,
        "orders": orders,
        "outputs": outputs,
        "business_date": span.business_date,
        "postings": [
            {"account": account_key(account), "posting_id": posting.posting_id if posting else ""} for account, posting in holding
        ],
    }
    return found, lines


def _holding(
    snapshot: Snapshot, row: EquipmentRow, run: str, date: str, moment: int
) -> Iterator[tuple[AccountRow, IssuedPosting | None]]:
    """Accounts that this run of the equipment feeds, each with the first posting whose cut is not before the moment."""
    for account in snapshot.of(ACCOUNT_ROWS):
        fed = any(source.equipment == row.equipment and source.run == run for source in account.sources.values())
        if run and fed and account.kind != BASIS and account.business_date == date:
            yield account, next((posting for posting in account.issued if posting.cut >= moment), None)


def _order(snapshot: Snapshot, name: str, orders: list[OrderRow], accounts: list[AccountRow]) -> Found:
    """What the order is, and where each quantity of it is."""
    proof: Proof = prove(snapshot)
    order = orders[0] if orders else None
    status = f"{order.status}{', completed' if order.completed else ''}" if order is not None and order.known else "UNKNOWN_ORDER"
    lines = [f"order {name}   {status}   BOM rev {order.bom_revision if order is not None and order.bom_revision else '-'}"]
    for item in order.items if order is not None else ():
        quantity = decimal_text(item.quantity.amount, item.quantity.scale)
        most = limit(snapshot.configuration, order, item.material) if order is not None else None
        limited = "no limit" if most is None else f"at most {quantity_text(most)} {item.quantity.unit}"
        lines.append(f"  to make   {quantity} {item.quantity.unit} {item.material}   {limited}")
    shown = []
    for row in accounts:
        if row.kind == BASIS:
            continue
        balance = proof.accounts[account_key(row)]
        lines.append(f"  {_account_line(row, balance)}")
        lines += [f"      apart {quantity_text(one.quantity)} {one.unit}  parked {one.code}" for one in waits(row) if one.apart]
        lines += [
            f"      #{entry.sequence} {decimal_text(entry.amount, row.scale):>12} {row.unit}"
            f"  posting {entry.posting_id}  {_state(snapshot, entry)}"
            for entry in row.issued
        ]
        shown.append(
            {
                "account": account_key(row),
                "recorded": str(balance.recorded),
                **{state: str(quantity) for state, quantity in balance.by_state().items()},
                "postings": [entry.posting_id for entry in row.issued],
                "code": row.code,
            }
        )
    wrong = [str(difference) for difference in proof.differences if f"|{name}|" in str(difference)]
    lines += [f"differs: {sentence}" for sentence in wrong]
    lines.append(f"Checked   recorded = {' + '.join(STATES)}   {'NOT EXACT' if wrong else 'OK'}")
    return {"ok": not wrong, "order": name, "status": status, "accounts": shown}, lines


def _account_line(row: AccountRow, balance: Balance) -> str:
    own, parts = fraction(row.parked, row.scale), [f"recorded {quantity_text(balance.recorded)}"]
    for state, quantity in balance.by_state().items():
        if state == PARKED and own:  # postings may be parked beside it, each for a reason of its own
            code = row.code if own == quantity else f"({quantity_text(own)} {row.code})"
            parts.append(f"{state} {quantity_text(quantity)} {code}")
        elif quantity:
            parts.append(f"{state} {quantity_text(quantity)}")
    parts += [f"more would be parked: {row.code}"] if row.code and not own else []
    reason = f" {row.reason}" if row.reason else ""
    about = f"{row.kind} op {row.operation} {row.material or '-'} lot {row.lot or '-'} {row.business_date}{reason}"
    return f"{about:<58} {row.unit}  {'  '.join(parts)}"


def _state(snapshot: Snapshot, posting: IssuedPosting) -> str:
    """As delivery has it, which hears first, with the code of one that is not booked."""
    newest, state = newest_of(snapshot, posting), state_of(snapshot, posting)
    return f"{state} {newest.code}".rstrip() if newest is not None and state != ACCEPTED else state


def _lot(snapshot: Snapshot, what: str, genealogy: Genealogy, lots: list[LotName], accounts: list[AccountRow]) -> Found:
    """Where the lot came from, where it went, what holds it, and the postings that received or consumed it."""
    lines, found = [], dict[str, Any](ok=True, lot=what, postings=[], parents=[], children=[])
    for lot in lots:
        lines += genealogy_lines(genealogy, lot)
        found["parents"] += names(genealogy.parents(lot))
        found["children"] += names(genealogy.children(lot))
    for account in accounts:
        if account.kind != BASIS:
            _lot_postings(snapshot, account, lines, found["postings"])
    return found, lines


def _lot_postings(snapshot: Snapshot, row: AccountRow, lines: list[str], ids: list[str]) -> None:
    verb = "consumed" if row.kind == "consumption" else row.kind
    about = f"order {row.order}  {row.business_date}"
    for entry in row.issued:
        amount = f"{decimal_text(entry.amount, row.scale)} {row.unit} {row.material}"
        state = state_of(snapshot, entry)
        lines.append(
            f"  {verb:<11} {amount}  {about}  posting {entry.posting_id}"
            f"{'' if state == ACCEPTED else f'  the ERP does not have it: {described(state)}'}"
        )
        ids.append(entry.posting_id)
    if not row.issued:
        why = row.code or ("not due" if row.target else "check only: nothing of it is booked")
        lines.append(f"  {verb:<11} not posted: {decimal_text(row.target, row.scale)} {row.unit} {row.material}  {about}  {why}")
