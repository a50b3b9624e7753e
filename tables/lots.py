"""One lot: its holds, what it went into, and its quality decisions. Every function only lets the row grow, and the order of
growth does not matter: duplicates, cycles of genealogy and any order of arrival end in the same row.

An entry of a hold is (hold, lot that it was placed on): one version for several origins would free what another one holds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from schemas.records import DispositionDecided, Exemption, HoldState, InspectionRecorded, LotRef, LotRow, Shipment

MAX_HOLDS = 500
MAX_CHILDREN = 4_000
MAX_NAMES = 1_000
"""Orders, inspections and deliveries that a row remembers, each. With these limits a row stays far below one message."""
MAX_NAME_CHARACTERS = 120
MAX_HOLD_CHARACTERS = 4 * MAX_NAME_CHARACTERS
"""A hold that comes from an inspection or a disposition is called by it and by its lot."""
BLOCK, NOTIFY = "block", "notify"
SEVERITIES = (BLOCK, NOTIFY)
"""That people may write; a quality system may send others, which stop as `block` does."""
HARMLESS_SEVERITIES = frozenset({NOTIFY})
"""Such a hold is known and travels, but stops nothing."""
ACCEPTED = "accept"
FAILED = "fail"
_OF_INSPECTION = "inspection:"


class LotFull(ValueError):
    """A lot would outgrow its row. Data error: the record is dead-lettered under this code."""

    code = "LOT_LIMIT"


class Quality(NamedTuple):
    """What others must know of a lot."""

    held: bool
    holds: tuple[str, ...]
    """Ids of the active holds, sorted."""


UNKNOWN = Quality(False, ())


def born(plant: str, material: str, lot: str) -> LotRow:
    """A lot that nothing is known of. Raises LotFull for names too long to be names."""
    check_names(plant, material, lot)
    return LotRow(plant, material, lot)


def quality(row: LotRow) -> Quality:
    exempted = {entry.hold for entry in row.exemptions if entry.active}
    active = [hold for hold in row.holds if hold.active and hold.hold not in exempted]
    names = sorted({hold.hold for hold in active})
    return Quality(any(hold.severity not in HARMLESS_SEVERITIES for hold in active), tuple(names))


def open_inspections(row: LotRow) -> int:
    """Inspections that were requested or failed: until each has passed, or the lot was accepted all the same, it is not
    cleared."""
    judged = {hold.hold for hold in row.holds if not hold.active and hold.origin == origin_of(row)}
    return sum(
        verdict != "pass" and not (verdict == FAILED and _failed_hold(row, inspection) in judged)
        for inspection, verdict in row.inspections.items()
    )


def origin_of(row: LotRow) -> str:
    """The lot as the origin of its own holds."""
    return f"{row.material}|{row.lot}"


def forget_at(row: LotRow, keep_us: int) -> int | None:
    """Log time from which on the lot may be forgotten; None: never, as things are. Until then a hold on it travels on."""
    if not row.touched_at or any(hold.active for hold in row.holds) or open_inspections(row):
        return None
    return row.touched_at + keep_us


def receive_hold(row: LotRow, hold: HoldState) -> bool:
    """Keep the highest version of the hold of that origin. True: the row grew, so the hold must travel on to the children."""
    entry = hold.hold, hold.origin
    known = {(one.hold, one.origin): one for one in row.holds}
    if entry in known and rank_of(known[entry]) >= rank_of(hold):
        return False
    if entry not in known and len(known) >= MAX_HOLDS:
        raise LotFull(f"{row.material} lot {row.lot} has {MAX_HOLDS} holds")
    check_names(hold.hold, most=MAX_HOLD_CHARACTERS)
    known[entry] = hold
    row.holds = [known[name] for name in sorted(known)]
    return True


def rank_of(hold: HoldState) -> tuple[Any, ...]:
    """Of two entries with one version the active one stays: a doubt never frees a lot; of two severities the harder one. The rest
    only makes the order total."""
    told = hold.occurred_at, hold.reason, hold.who, hold.correlation_id
    return hold.version, hold.active, hold.severity not in HARMLESS_SEVERITIES, hold.severity, *told


def exempt(row: LotRow, exemption: Exemption) -> None:
    """The hold, of whatever origin, does not stop this lot while the exemption with the highest version is active; of two with
    one version the revoked one stays. What it went into is not exempted."""
    known = {one.hold: one for one in row.exemptions}
    if exemption.hold not in known and len(known) >= MAX_HOLDS:
        raise LotFull(f"{row.material} lot {row.lot} has {MAX_HOLDS} exemptions")
    check_names(exemption.hold, most=MAX_HOLD_CHARACTERS)
    if exemption.hold not in known or _newer(exemption) > _newer(known[exemption.hold]):
        known[exemption.hold] = exemption
        row.exemptions = [known[name] for name in sorted(known)]


def _newer(one: Exemption) -> tuple[Any, ...]:
    return one.version, not one.active, one.occurred_at, one.reason, one.who, one.correlation_id, -one.label


def connect(row: LotRow, child: LotRef) -> bool:
    """Remember that the lot went into `child`. True: the edge is new, so the child must get all that the lot has."""
    if (child.material, child.lot) == (row.material, row.lot) or child in row.children:
        return False
    if len(row.children) >= MAX_CHILDREN:
        raise LotFull(f"{row.material} lot {row.lot} went into {MAX_CHILDREN} lots")
    check_names(child.material, child.lot)
    row.children = sorted([*row.children, child], key=lambda ref: (ref.material, ref.lot))
    return True


def know_order(row: LotRow, order: str) -> bool:
    """True: the order is new to the lot."""
    if not order or order in row.orders:
        return False
    row.orders = _with(row.orders, order)
    return True


def decide(row: LotRow, decided: DispositionDecided) -> Iterator[HoldState]:
    """Note a disposition (the newest by the source's clock stays). What is not accepted is on hold by the decision itself;
    the hold bears the lot's name, because it travels to children that have dispositions of their own. What is accepted is so in
    spite of the inspections that it failed before."""
    check_names(decided.disposition)
    newest = (decided.occurred_at, decided.disposition != ACCEPTED, decided.disposition)
    if newest > (row.disposition_at, row.disposition != ACCEPTED, row.disposition):
        row.disposition, row.disposition_at = decided.disposition, decided.occurred_at
    origin = origin_of(row)
    blocks = decided.disposition != ACCEPTED
    yield HoldState(f"disposition:{origin}", decided.occurred_at, blocks, BLOCK, origin, decided.label)
    for hold in row.holds:
        if hold.origin == origin and hold.hold.startswith(_OF_INSPECTION):
            yield _judged(row, hold)


def fail(row: LotRow, recorded: InspectionRecorded, severity: str) -> Iterator[HoldState]:
    """The hold that a failed inspection is, until somebody accepts the lot later than that. The verdict of another laboratory
    frees nothing. Versions are such that a judgement stands over the failures before it, and over no other."""
    at = recorded.occurred_at
    failed = HoldState(_failed_hold(row, recorded.inspection), 2 * at, True, severity, origin_of(row), recorded.label, at)
    yield failed
    if row.disposition:
        yield _judged(row, failed)


def in_conflict(row: LotRow) -> bool:
    """One inspection passed the lot and another one failed it. The worst holds it; what a person decides ends that."""
    return {"pass", FAILED} <= set(row.inspections.values())


def undecided(row: LotRow) -> bool:
    """It failed an inspection that nobody has judged since: its hold has the version of a failure still (`fail`)."""
    origin = origin_of(row)
    own = [hold for hold in row.holds if hold.origin == origin and hold.hold.startswith(_OF_INSPECTION)]
    return any(hold.active and hold.version == 2 * hold.occurred_at for hold in own)


def _judged(row: LotRow, failed: HoldState) -> HoldState:
    at = row.disposition_at
    return replace(failed, version=2 * at - 1, active=row.disposition != ACCEPTED, occurred_at=at)


def _failed_hold(row: LotRow, inspection: str) -> str:
    return f"{_OF_INSPECTION}{inspection}:{origin_of(row)}"


def note_inspection(row: LotRow, inspection: str, verdict: str) -> None:
    """requested < pass < fail: a failed inspection stays failed, a repeated one has its own id."""
    known = row.inspections.get(inspection, "")
    order = ("", "requested", "pass", FAILED)
    if inspection not in row.inspections and len(row.inspections) >= MAX_NAMES:
        raise LotFull(f"{row.material} lot {row.lot} has {MAX_NAMES} inspections")
    check_names(inspection, verdict)
    worst = max(known, verdict, key=lambda v: (order.index(v) if v in order else 0, v))
    row.inspections = {**row.inspections, inspection: worst}


def note_location(row: LotRow, location: str) -> None:
    check_names(location)
    row.location = location


def note_shipment(row: LotRow, shipment: Shipment) -> None:
    """A delivery may take a lot in several pieces: what counts once is the record."""
    if any(one.event_id == shipment.event_id for one in row.shipments):
        return
    if len(row.shipments) >= MAX_NAMES:
        raise LotFull(f"{row.material} lot {row.lot} was shipped {MAX_NAMES} times")
    if shipment.delivery not in row.deliveries:
        row.deliveries = _with(row.deliveries, shipment.delivery)
    row.shipments = sorted([*row.shipments, shipment], key=lambda one: one.event_id)


def _with(names: list[str], name: str) -> list[str]:
    if len(names) >= MAX_NAMES:
        raise LotFull(f"more than {MAX_NAMES} entries ({name} is one too many)")
    check_names(name)
    return sorted([*names, name])


def check_names(*names: str, most: int = MAX_NAME_CHARACTERS) -> None:
    """Raises LotFull for names too long to be names."""
    for name in names:
        if len(name) > most:
            raise LotFull(f"a name of {len(name)} characters, more than {most}")
