"""What a hold stops, what its release frees, and what is known of it: before somebody orders it, and after."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.export import quantity_text
from app.ledger.questions.genealogy import Genealogy, LotName, Target
from schemas.records import Exemption, HoldState, LotRow, PostingRow
from streams.mapping.hold_orders import EXEMPT, PLACE, RELEASE, REVOKE
from tables import lots
from tables.delivery.hold_gate import gate, lot_of
from tables.delivery.posting_state import ACCEPTED, CANCELLED, IN_FLIGHT
from tables.equipment.attribution import END_OF_TIME
from tables.orders.account import BASIS, account_key
from tables.quantity import decimal_text
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS

DISPOSITION, INSPECTION = "disposition:", "inspection:"
"""Holds that come from a judgement end with one: a DispositionDecided that accepts the lot."""


@dataclass(slots=True, frozen=True)
class HoldOrder:
    """What a person orders. `who`: hashed already; `at`, `effective_at`: microseconds."""

    change: str
    hold: str
    who: str
    why: str
    at: int
    effective_at: int
    severity: str = lots.BLOCK
    correlation_id: str = ""


@dataclass(slots=True)
class Planned:
    """What an order comes to, lot by lot."""

    targets: list[Target]
    """Lots and scopes that a line is written for."""
    lines: list[str]
    left: list[str]
    """Lots that it changes nothing of, a sentence each."""


def planned(graph: Genealogy, order: HoldOrder, targets: Sequence[Target]) -> Planned | Refusal:
    """A line per lot, each with the version after the one that is known; or why nothing can be ordered like that."""
    placed = any(hold.hold == order.hold for _, hold in graph.placed())
    if order.change != PLACE and not (
        placed or any(hold.hold == order.hold for row in graph.rows.values() for hold in row.holds)
    ):
        return Refusal("NOT_FOUND", f"no lot of this ledger has a hold {order.hold}; `lineledger hold list --all` shows them")
    if order.change in (PLACE, RELEASE) and order.hold.startswith((DISPOSITION, INSPECTION)):
        return Refusal("DECISION_INVALID", f"{order.hold} is a judgement of its lot, and ends with a disposition that accepts it")
    found = Planned([], [], [])
    for name in targets:
        version, needless = _version(graph, name, order)
        if needless:
            found.left.append(f"{name} {needless}")
        else:
            found.targets.append(name)
            found.lines.append(_line(order, name, version))
    return found


def _version(graph: Genealogy, target: Target, order: HoldOrder) -> tuple[int, str]:
    """The version of the entry with this order, and why it would change nothing (empty: it does)."""
    if order.change in (PLACE, RELEASE):
        entry = graph.entry(order.hold, target)
        if order.change == RELEASE and (entry is None or not entry.active):
            return 0, f"is nothing that {order.hold} was placed on, or it is released: `lineledger hold exempt` frees a lot alone"
        same = order.change == PLACE and entry is not None and entry.active and entry.severity == order.severity
        return (entry.version if entry else 0) + 1, f"has {order.hold} already" if same else ""
    if not isinstance(target, LotName):
        return 0, "is no lot: lots are exempted one by one"
    row = graph.row(target) or LotRow("", target.material, target.lot)
    known = next((one for one in row.exemptions if one.hold == order.hold), None)
    free = known is not None and known.active
    if order.change == REVOKE:
        return (known.version if known else 0) + 1, "" if free else f"is not exempted from {order.hold}"
    if free:
        return 0, f"is exempted from {order.hold} already"
    held = any(one.active and one.hold == order.hold for one in row.holds)
    return (known.version if known else 0) + 1, "" if held else f"is not held by {order.hold}"


def _line(order: HoldOrder, target: Target, version: int) -> str:
    fields: dict[str, Any] = {
        "change": order.change, "hold": order.hold, "version": version, "who": order.who, "why": order.why,
        "correlation_id": order.correlation_id, "effective_at": order.effective_at,
    }  # fmt: skip
    if isinstance(target, LotName):
        fields |= {"material": target.material, "lot": target.lot}
    else:
        to_at = target.to_at if target.to_at < END_OF_TIME else 0
        fields |= {"scope": target.scope, "lot": target.name, "from_at": target.from_at, "to_at": to_at}
    if order.change == PLACE:
        fields["severity"] = order.severity
    content = json.dumps({"at": order.at, **fields}, sort_keys=True)
    event_id = f"hold-{hashlib.sha256(content.encode()).hexdigest()[:24]}"
    return json.dumps({"at": order.at, "hold": {"event_id": event_id, **fields}}, ensure_ascii=False)


def origins(graph: Genealogy, hold: str) -> list[Target]:
    """What a hold was placed on and has it still."""
    return [target for target, one in graph.placed() if one.hold == hold and one.active]


def held_below(graph: Genealogy, hold: str, starts: Iterable[LotName]) -> list[LotName]:
    """These lots and what they went into, as far as the hold stops them."""
    return [reached.name for reached in graph.below(starts) if hold in graph.quality(reached.name).holds]


def unheard_of(snapshot: Snapshot, graph: Genealogy, targets: Iterable[Target]) -> list[Target]:
    """Those of which nobody has said or counted anything yet."""
    counted = {LotName(row.material, row.lot) for row in snapshot.of(ACCOUNT_ROWS)}
    return [
        target
        for target in targets
        if not graph.starts(target) or (isinstance(target, LotName) and graph.row(target) is None and target not in counted)
    ]


@dataclass(slots=True)
class LotChange:
    """One lot before and after an order. `by`: the holds that it has then."""

    name: LotName
    depth: int
    before: lots.Quality
    after: lots.Quality


def effects(graph: Genealogy, order: HoldOrder, targets: Sequence[Target]) -> list[LotChange]:
    """Every lot whose holds an order changes, nearest first: as lots would fold it."""
    spread = order.change in (PLACE, RELEASE)
    found = []
    starts = [name for target in targets for name in graph.starts(target)]
    for reached in graph.below(starts, None if spread else 0):
        row = replace(graph.row(reached.name) or LotRow("", *reached.name))
        before = lots.quality(row)
        for origin in targets if spread else (reached.name,):
            _apply(row, order, origin)
        after = lots.quality(row)
        if after != before:
            found.append(LotChange(reached.name, reached.depth, before, after))
    return found


def _apply(row: LotRow, order: HoldOrder, origin: Target) -> None:
    if order.change in (EXEMPT, REVOKE):
        known = max((one.version for one in row.exemptions if one.hold == order.hold), default=0)
        lots.exempt(row, Exemption(order.hold, known + 1, order.change == EXEMPT, 0, 0))
        return
    entries = [one for one in row.holds if (one.hold, one.origin) == (order.hold, str(origin))]
    if order.change == RELEASE and not entries:
        return
    version = max((one.version for one in entries), default=0) + 1
    lots.receive_hold(row, HoldState(order.hold, version, order.change == PLACE, order.severity, str(origin), 0))


def postings_of(snapshot: Snapshot, names: Iterable[LotName]) -> Iterator[dict[str, Any]]:
    """Postings of these lots: what the gate makes of each that is not in the ERP yet, and those that are (`in the ERP`) or may be
    (`on its way`)."""
    wanted, rules = set(names), snapshot.configuration.rules.on_hold
    for row in snapshot.of(POSTING_ROWS):
        name = LotName(*lot_of(row.posting))
        if name not in wanted or row.state == CANCELLED:
            continue
        yield {
            "posting": row.posting.posting_id,
            "lot": str(name),
            "order": row.posting.order,
            "kind": row.posting.kind,
            "quantity": decimal_text(row.posting.amount, row.posting.scale),
            "unit": row.posting.unit,
            "state": row.state,
            "then": _then(row, gate(rules, row.posting.kind, True).answer),
        }


def _then(row: PostingRow, answer: str) -> str:
    if row.state == ACCEPTED:
        return "in the ERP"
    return "on its way" if row.state in IN_FLIGHT else answer


def pending_of(snapshot: Snapshot, names: Iterable[LotName]) -> Iterator[dict[str, Any]]:
    """What is recorded of these lots and no posting yet; its posting will be gated."""
    wanted, balances = set(names), prove(snapshot).accounts
    for row in snapshot.of(ACCOUNT_ROWS):
        if row.kind == BASIS or LotName(row.material, row.lot) not in wanted:
            continue
        pending = balances[account_key(row)].pending
        if pending:
            then = gate(snapshot.configuration.rules.on_hold, row.kind, True).answer
            quantity = quantity_text(pending)
            yield {"account": account_key(row), "kind": row.kind, "quantity": quantity, "unit": row.unit, "then": then}
