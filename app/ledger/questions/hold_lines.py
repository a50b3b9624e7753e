"""Holds as people read them: the list, one hold with every lot that it came to, and what an order would change."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import Genealogy, LotName, Target
from app.ledger.questions.holds import HoldOrder, LotChange, held_below, pending_of, postings_of
from app.ledger.questions.moments import iso
from app.ledger.questions.trace import LISTED
from schemas.records import HoldState, LotRow, LotStateRow
from streams.mapping.hold_orders import EXEMPT, RELEASE
from tables import lots
from tables.row_kinds import LOT_STATE_ROWS

Found = tuple[Any, list[str]]


def change_lines(snapshot: Snapshot, graph: Genealogy, order: HoldOrder, changes: Sequence[LotChange]) -> Found:
    """What an order changes: lots, their postings, and where they were shipped already."""
    names = [change.name for change in changes if change.before.held != change.after.held]
    frees = order.change in (RELEASE, EXEMPT)
    postings, pending = list(postings_of(snapshot, names)), list(pending_of(snapshot, names))
    shipped = [f"{name}: {', '.join(row.deliveries)}" for name in names if (row := graph.row(name)) and row.deliveries]
    found = {
        "hold": order.hold,
        "change": order.change,
        "lots": [_changed(change) for change in changes],
        "postings": postings,
        "pending": pending,
        "shipped": shipped,
    }
    lines = [f"{order.change} {order.hold}: {len(names)} lots {'come free' if frees else 'stop'}"]
    if not frees:
        blocked = snapshot.configuration.rules.on_hold.shipment == "block"
        lines[0] += ", their shipments are blocked" if blocked else ", their shipments go on (on_hold.shipment: notify)"
    lines += _listed(f"  lot {_change_text(change)}" for change in changes)
    lines += _listed(
        f"  posting {one['posting']} {_amount(one)} of {one['lot']}: {one['state']}{'' if frees else ', ' + one['then']}"
        for one in postings
    )
    lines += _listed(
        f"  not posted yet: {_amount(one)} of {one['account']}{'' if frees else ', ' + one['then']}" for one in pending
    )
    return found, [*lines, *_listed(f"  shipped already: {one}" for one in shipped)]


def _changed(change: LotChange) -> dict[str, Any]:
    return {
        "lot": str(change.name),
        "depth": change.depth,
        "before": list(change.before.holds),
        "after": list(change.after.holds),
        "held": change.after.held,
    }


def _change_text(change: LotChange) -> str:
    far = f"   ({change.depth} further on)" if change.depth else ""
    others = sorted({*change.before.holds} & {*change.after.holds})
    stays = f"   held by {', '.join(others)} all the same" if others and change.after.held and change.before.held else ""
    return f"{change.name}{far}{stays}"


def list_lines(snapshot: Snapshot, every: bool, lot: LotName | None = None) -> Found:
    """A line per hold and lot, or scope, that it was placed on. `every`: released ones, too; `lot`: what holds this one."""
    graph = Genealogy(snapshot)
    found = []
    of_lot = {(one.hold, one.origin) for one in row.holds} if lot and (row := graph.row(lot)) else set()
    for target, hold in graph.placed():
        if (hold.active or every) and (lot is None or (hold.hold, hold.origin) in of_lot):
            found.append(_entry(graph, target, hold))
    found.sort(key=lambda entry: (entry["hold"], entry["placed_on"]))
    return found, [_entry_line(entry) for entry in found] or ["no hold"]


def _entry(graph: Genealogy, name: Target, hold: HoldState) -> dict[str, Any]:
    return {
        "hold": hold.hold,
        "placed_on": str(name),
        "state": "active" if hold.active else "released",
        "version": hold.version,
        "severity": hold.severity,
        "effective": iso(hold.occurred_at) if hold.occurred_at else "",
        "taken_in": iso(hold.label) if hold.label else "",
        "who": hold.who,
        "why": hold.reason,
        "correlation_id": hold.correlation_id,
        "lots": len(held_below(graph, hold.hold, graph.starts(name))) if hold.active else 0,
    }


def _entry_line(entry: dict[str, Any]) -> str:
    since = f"since {entry['effective'] or entry['taken_in'] or 'unknown'}" if entry["state"] == "active" else entry["effective"]
    case = f"   correlation id {entry['correlation_id']}" if entry["correlation_id"] else ""
    said = f"   why: {entry['why']}" if entry["why"] else ""
    held = f"   {entry['lots']} lots held" if entry["state"] == "active" else ""
    by = f"   by {entry['who']}" if entry["who"] else ""
    state = f"{entry['state']:<8} {entry['severity']:<6}"
    return f"{entry['hold']:<24} {state} {entry['placed_on']:<24} {since}{held}{by}{case}{said}"


def show_lines(snapshot: Snapshot, hold: str) -> Found:
    """One hold: where it was placed, every lot that it came to, whether delivery's gate of that lot is closed, who is exempted,
    and the postings that it stops. found["ok"]: there is such a hold."""
    graph = Genealogy(snapshot)
    entries = [one for one in list_lines(snapshot, True)[0] if one["hold"] == hold]
    states = {LotName(state.material, state.lot): state for state in snapshot.of(LOT_STATE_ROWS)}
    touched = [(name, row) for name, row in sorted(graph.rows.items()) if hold in _named_in(row)]
    if not touched and not entries:
        return {"ok": False, "code": "NOT_FOUND"}, [f"no lot of this ledger has a hold {hold}; `lineledger hold list` shows them"]
    shown = [_touched(name, row, hold, states.get(name)) for name, row in touched]
    held = [LotName(*one["lot"].split("|", 1)) for one in shown if one["held"]]
    postings = [one for one in postings_of(snapshot, held) if one["then"] != "in the ERP"]
    closed = sum(one["gate"] == "closed" for one in shown)
    lines = [_entry_line(entry) for entry in entries]
    lines.append(f"holds {len(held)} lots; delivery has closed the gate of {closed}")
    lines += _listed(_touched_line(one) for one in shown)
    lines += _listed(
        f"  posting {one['posting']} {_amount(one)} of {one['lot']}: {one['state']}, {one['then']}" for one in postings
    )
    return {"ok": True, "entries": entries, "lots": shown, "postings": postings}, lines


def _named_in(row: LotRow) -> set[str]:
    return {one.hold for one in row.holds} | {one.hold for one in row.exemptions}


def _touched(name: LotName, row: LotRow, hold: str, known: LotStateRow | None) -> dict[str, Any]:
    held = hold in lots.quality(row).holds
    exemption = next((one for one in row.exemptions if one.hold == hold and one.active), None)
    closed = known is not None and hold in known.holds
    exempted = None
    if exemption is not None:
        exempted = {"who": exemption.who, "why": exemption.reason, "at": iso(exemption.occurred_at)}
    return {
        "lot": str(name),
        "held": held,
        "from": sorted({one.origin for one in row.holds if one.hold == hold and one.active}),
        "exempted": exempted,
        "gate": "closed" if closed else "open",
        "gate_at": iso(known.label) if known is not None and closed else "",
        "gate_offset": known.known_at if known is not None and closed else -1,
        "deliveries": row.deliveries,
    }


def _touched_line(one: dict[str, Any]) -> str:
    state = "held" if one["held"] else "free"
    if one["exempted"]:
        state = f"free, exempted by {one['exempted']['who']} ({one['exempted']['why']})"
    gate = f"   gate closed at {one['gate_at']} (delivery's inbox {one['gate_offset']})" if one["gate"] == "closed" else ""
    late = "   gate not closed yet" if one["held"] and not gate else ""
    shipped = f"   shipped: {', '.join(one['deliveries'])}" if one["deliveries"] else ""
    return f"  lot {one['lot']}: {state}{gate}{late}{shipped}"


def _amount(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['quantity']} {one['unit']}"


def _listed(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return found if len(found) <= LISTED else [*found[:LISTED], f"  ... {len(found) - LISTED} more; --json shows all"]
