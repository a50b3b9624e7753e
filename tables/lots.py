"""One lot: its holds, what it went into, and its quality decisions. Every function only lets the row grow, and the order of
growth does not matter: duplicates, cycles of genealogy and any order of arrival end in the same row."""

from typing import NamedTuple

from schemas.records import DispositionDecided, HoldState, LotRef, LotRow

MAX_HOLDS = 500
MAX_CHILDREN = 4_000
MAX_NAMES = 1_000
"""Orders, inspections and deliveries that a row remembers, each. With these limits a row stays far below one message."""
MAX_NAME_CHARACTERS = 120
HARMLESS_SEVERITIES = frozenset({"notify"})
"""Such a hold is known and travels, but stops nothing."""


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
    _check_names(plant, material, lot)
    return LotRow(plant, material, lot)


def quality(row: LotRow) -> Quality:
    active = [hold for hold in row.holds if hold.active]
    return Quality(any(hold.severity not in HARMLESS_SEVERITIES for hold in active), tuple(hold.hold for hold in active))


def open_inspections(row: LotRow) -> int:
    """Inspections that were requested or failed: until each has passed, the lot is not cleared."""
    return sum(verdict != "pass" for verdict in row.inspections.values())


def forget_at(row: LotRow, keep_us: int) -> int | None:
    """Log time from which on the lot may be forgotten; None: never, as things are. Until then a hold on it travels on."""
    if not row.touched_at or any(hold.active for hold in row.holds) or open_inspections(row):
        return None
    return row.touched_at + keep_us


def receive_hold(row: LotRow, hold: HoldState) -> bool:
    """Keep the highest version of the hold. True: the row grew, so the hold must travel on to the children."""
    known = {entry.hold: entry for entry in row.holds}
    if hold.hold in known and _rank(known[hold.hold]) >= _rank(hold):
        return False
    if hold.hold not in known and len(known) >= MAX_HOLDS:
        raise LotFull(f"{row.material} lot {row.lot} has {MAX_HOLDS} holds")
    _check_names(hold.hold)
    known[hold.hold] = hold
    row.holds = [known[name] for name in sorted(known)]
    return True


def _rank(hold: HoldState) -> tuple[int, bool, str, str]:
    """Of two entries with one version the active one stays: a doubt never frees a lot. The rest only makes the order total."""
    return hold.version, hold.active, hold.severity, hold.origin


def connect(row: LotRow, child: LotRef) -> bool:
    """Remember that the lot went into `child`. True: the edge is new, so the child must get all that the lot has."""
    if (child.material, child.lot) == (row.material, row.lot) or child in row.children:
        return False
    if len(row.children) >= MAX_CHILDREN:
        raise LotFull(f"{row.material} lot {row.lot} went into {MAX_CHILDREN} lots")
    _check_names(child.material, child.lot)
    row.children = sorted([*row.children, child], key=lambda ref: (ref.material, ref.lot))
    return True


def know_order(row: LotRow, order: str) -> bool:
    """True: the order is new to the lot."""
    if not order or order in row.orders:
        return False
    row.orders = _with(row.orders, order)
    return True


def decide(row: LotRow, decided: DispositionDecided) -> HoldState:
    """Note a disposition (the newest by the source's clock stays). What is not accepted is on hold by the decision itself;
    the hold bears the lot's name, because it travels to children that have dispositions of their own."""
    _check_names(decided.disposition)
    newest = (decided.occurred_at, decided.disposition != "accept", decided.disposition)
    if newest > (row.disposition_at, row.disposition != "accept", row.disposition):
        row.disposition, row.disposition_at = decided.disposition, decided.occurred_at
    origin = f"{row.material}|{row.lot}"
    blocks = decided.disposition != "accept"
    return HoldState(f"disposition:{origin}", decided.occurred_at, blocks, "block", origin, decided.label)


def note_inspection(row: LotRow, inspection: str, verdict: str) -> None:
    """requested < pass < fail: a failed inspection stays failed, a repeated one has its own id."""
    known = row.inspections.get(inspection, "")
    order = ("", "requested", "pass", "fail")
    if inspection not in row.inspections and len(row.inspections) >= MAX_NAMES:
        raise LotFull(f"{row.material} lot {row.lot} has {MAX_NAMES} inspections")
    _check_names(inspection, verdict)
    worst = max(known, verdict, key=lambda v: (order.index(v) if v in order else 0, v))
    row.inspections = {**row.inspections, inspection: worst}


def note_location(row: LotRow, location: str) -> None:
    _check_names(location)
    row.location = location


def note_shipment(row: LotRow, delivery: str) -> None:
    if delivery not in row.deliveries:
        row.deliveries = _with(row.deliveries, delivery)


def _with(names: list[str], name: str) -> list[str]:
    if len(names) >= MAX_NAMES:
        raise LotFull(f"more than {MAX_NAMES} entries ({name} is one too many)")
    _check_names(name)
    return sorted([*names, name])


def _check_names(*names: str) -> None:
    for name in names:
        if len(name) > MAX_NAME_CHARACTERS:
            raise LotFull(f"a name of {len(name)} characters, more than {MAX_NAME_CHARACTERS}")
