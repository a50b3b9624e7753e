"""Holds on what an equipment, an order, a run or a supplier's lot made: they become holds of its lots,
of those that appear later, too (docs/adr/0093).

Per part of what is told of a lot the newest statement holds, and of a hold its highest version. What a lot is told follows from
these two alone, so that duplicates and any order of arrival end in the same holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from schemas.records import HoldPlaced, HoldReleased, HoldState, LotMade, MadeSpan, ScopeHold, ScopeLotRow, ScopeRow
from tables.equipment.attribution import END_OF_TIME
from tables.lots import BLOCK, MAX_HOLD_CHARACTERS, MAX_HOLDS, LotFull, check_names, rank_of

EQUIPMENT, ORDER, RUN, SUPPLIER_LOT = "equipment", "order", "run", "supplier_lot"
SCOPES = (EQUIPMENT, ORDER, RUN, SUPPLIER_LOT)


def inbox_key(plant: str, name: str) -> str:
    """Where records about a scope go: it has no material, so that none of its keys is a lot's."""
    return f"{plant}||{name}"


def origin(scope: str, name: str, from_at: int, to_at: int) -> str:
    """A scope within a time as the origin of its holds. Two times of one equipment are two origins."""
    if not from_at and to_at >= END_OF_TIME:
        return f"{scope}:{name}"
    return f"{scope}:{name}@{_moment(from_at)}/{_moment(to_at)}"


def _moment(at: int) -> str:
    if not 0 < at < END_OF_TIME:
        return ".."
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1_000_000:06d}Z"


def hold_of(record: HoldPlaced | HoldReleased) -> ScopeHold:
    """The entry that a record about a scope makes."""
    to_at = record.to_at or END_OF_TIME
    placed, severity = isinstance(record, HoldPlaced), record.severity if isinstance(record, HoldPlaced) else BLOCK
    state = HoldState(
        record.hold, record.version, placed, severity,
        origin(record.scope, record.lot, record.from_at, to_at), record.label, record.occurred_at, record.reason, record.who,
        record.correlation_id,
    )  # fmt: skip
    return ScopeHold(state, record.from_at, to_at)


def receive_hold(row: ScopeRow, hold: ScopeHold) -> bool:
    """Keep the highest version of the hold of that origin. True: it is another one now. Raises LotFull."""
    known = {(one.hold.hold, one.hold.origin): one for one in row.holds}
    entry = hold.hold.hold, hold.hold.origin
    if entry in known and rank_of(known[entry].hold) >= rank_of(hold.hold):
        return False
    if entry not in known and len(known) >= MAX_HOLDS:
        raise LotFull(f"{row.scope} {row.name} has {MAX_HOLDS} holds")
    check_names(row.name)
    check_names(hold.hold.hold, most=MAX_HOLD_CHARACTERS)
    known[entry] = hold
    row.holds = [known[name] for name in sorted(known)]
    return True


def receive_span(row: ScopeLotRow, made: LotMade) -> bool:
    """Keep the newest statement about each part. True: it is newer than what was known."""
    check_names(row.name, row.material, row.lot)
    known = {one.part: one for one in row.spans}
    before = known.get(made.part)
    if before is not None and _newer(before) >= _newer(made):
        return False
    known[made.part] = MadeSpan(made.part, made.from_at, made.to_at, made.log_epoch, made.inbox_offset)
    row.spans = [known[part] for part in sorted(known)]
    return True


def _newer(one: MadeSpan | LotMade) -> tuple[int, ...]:
    """Of two statements with one version the wider one stays: a doubt never frees a lot."""
    return one.log_epoch, one.inbox_offset, one.to_at - one.from_at, -one.from_at


def covers(hold: ScopeHold, lot: ScopeLotRow) -> bool:
    """Was something of the lot made within the time of the hold? Both ends are included."""
    return any(span.from_at <= span.to_at and span.from_at <= hold.to_at and span.to_at >= hold.from_at for span in lot.spans)


def news(scope: ScopeRow, lot: ScopeLotRow, label: int) -> Iterator[HoldState]:
    """What the lot must be told now, which is noted as told. A version is greater than those told before, so that a lot that
    leaves the time of a hold (a run was corrected) is freed of it, and held again when it comes back."""
    told = {(one.hold, one.origin): one for one in lot.told}
    for hold in scope.holds:
        state = hold.hold
        entry, active = (state.hold, state.origin), state.active and covers(hold, lot)
        before = told.get(entry)
        if (before is None and not active) or (before is not None and _same(before, state, active)):
            continue
        version = max(state.version, 0 if before is None else before.version + 1)
        told[entry] = replace(state, version=version, active=active, label=max(label, state.label))
        yield told[entry]
    lot.told = [told[entry] for entry in sorted(told)]


def _same(told: HoldState, state: HoldState, active: bool) -> bool:
    return told.active == active and (not active or told.severity == state.severity)


def forget_at(row: ScopeLotRow, keep_us: int) -> int | None:
    """Log time from which on it may be forgotten; None: a hold of the scope stops it."""
    return None if not row.touched_at or any(one.active for one in row.told) else row.touched_at + keep_us
