"""What was on its way when a hold took effect: postings that went out in a form that the policy forbids now, by the attempt's own
knowledge of its lot rightly so. Of lots that are held."""

from collections.abc import Iterator
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import Genealogy, LotName
from app.ledger.questions.moments import iso
from schemas.records import LotStateRow, PostingRow
from tables import lots
from tables.delivery.hold_gate import gate_at, lot_of
from tables.delivery.posting_state import ACCEPTED, IN_FLIGHT
from tables.quantity import decimal_text
from tables.row_kinds import LOT_STATE_ROWS, POSTING_ROWS


def races(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """By posting. What ended before the hold took effect by its own source's clock was no race."""
    graph = Genealogy(snapshot)
    states = {LotName(state.material, state.lot): state for state in snapshot.of(LOT_STATE_ROWS) if state.held}
    for row in snapshot.of(POSTING_ROWS):
        state = states.get(LotName(*lot_of(row.posting)))
        if state is None or not row.gate or not 0 <= row.gate_offset < state.known_at:
            continue
        effective = _effective(graph, state)
        if row.state not in IN_FLIGHT and not (row.state == ACCEPTED and row.closed_at >= effective):
            continue
        cut = row.posting.cut if snapshot.finished else None
        wanted = gate_at(snapshot.configuration.rules.on_hold, row.posting.kind, state, cut).answer
        if wanted != row.gate:
            yield _race(row, state, effective, wanted)


def race_lines(snapshot: Snapshot) -> tuple[list[dict[str, Any]], list[str]]:
    found = list(races(snapshot))
    return found, [_line(one) for one in found] or ["nothing was on its way when a hold took effect"]


def _effective(graph: Genealogy, state: LotStateRow) -> int:
    """The earliest time of what holds the lot, by the clock of who placed it; microseconds. The lot that the hold was placed on
    has it."""
    row = graph.row(LotName(state.material, state.lot))
    active = [] if row is None else [one for one in row.holds if one.active and one.severity not in lots.HARMLESS_SEVERITIES]
    placed = {(one.hold, one.origin): one.occurred_at or one.label for _, one in graph.placed()}
    times = [at for one in active if (at := placed.get((one.hold, one.origin), 0))]
    return min(times, default=state.label)


def _race(row: PostingRow, state: LotStateRow, effective: int, wanted: str) -> dict[str, Any]:
    posting = row.posting
    return {
        "posting": posting.posting_id,
        "order": posting.order,
        "lot": f"{state.material}|{state.lot}",
        "holds": state.holds,
        "kind": posting.kind,
        "quantity": decimal_text(posting.amount, posting.scale),
        "unit": posting.unit,
        "state": row.state,
        "sent_as": row.gate,
        "policy": wanted,
        "document": row.erp_document,
        "effective": iso(effective),
        "taken_in": iso(state.label),
        "gate_closed_offset": state.known_at,
        "attempt_knew_offset": row.gate_offset,
        "ended": iso(row.closed_at) if row.closed_at else "",
    }


def _line(one: dict[str, Any]) -> str:
    ended = f"booked at {one['ended']} as {one['document']}" if one["ended"] else one["state"]
    what = f"{one['kind']} {one['quantity']} {one['unit']} of {one['lot']}"
    hold = f"hold {', '.join(one['holds'])} effective {one['effective']}, taken in {one['taken_in']}"
    knew = f"the attempt knew delivery's inbox up to {one['attempt_knew_offset']}, the gate closed at {one['gate_closed_offset']}"
    sent = f"posting {one['posting']} {what} went out as {one['sent_as']}, the policy says {one['policy']}"
    return f"{sent}\n    {hold}; {ended}; {knew}"
