"""Consumption that follows from other quantities: ledger_backflush from the pieces, phantoms from what was declared of them.

Everything derived is a source of the component's account with a key of its own, so that it is replaced, never added.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.records import AccountRow, Component, Correlation, OrderRow, RawRange, SourceTotal
from tables import correlations
from tables.lineage import add_ranges
from tables.orders.account import BASIS, MOVED, is_returned, on_top, row_key
from tables.orders.components import basis_of, bill_at, children_of, components_for, mode_of, phantom_of, pin_of
from tables.orders.conversions import in_unit
from tables.orders.order import (
    authority_of,
    confirmed_with,
    confirming,
    counted_at,
    is_check,
    item_of,
    operation_of_component,
    weights_of,
)
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal

MAX_PHANTOM_LEVELS = 5
"""Phantoms within phantoms; deeper ones stay with the last that was exploded."""

BACKFLUSH, PHANTOM = "backflush|", "phantom|"
"""Source keys of what is derived begin with one of these."""


class Derived(NamedTuple):
    """A source that an account must have: exact quantity, and the sources that it follows from."""

    account: AccountRow
    """Empty: only its key counts."""
    source_key: str
    amount: Fraction
    unit: str
    authority: str
    revision: str
    behind: Sequence[SourceTotal]
    kind: str = "consumption"


@dataclass(slots=True)
class Made:
    """Pieces of one operation, business date and bill of material, in the order's unit."""

    revision: str
    components: Sequence[Component]
    gross: Fraction = Fraction(0)
    sources: list[SourceTotal] = field(default_factory=list)
    by_lot: dict[tuple[str, str, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    """(position, component material, component lot) -> pieces made while it was loaded."""


def source_of(one: Derived) -> SourceTotal:
    """The source of a derived quantity names the raw records that it follows from."""
    ranges: list[RawRange] = []
    told: list[Correlation] = []
    for source in one.behind:
        add_ranges(ranges, source.ranges)
        correlations.add(told, source.correlations)
    return SourceTotal(
        kind=one.kind,
        authority=one.authority,
        numerator=one.amount.numerator,
        denominator=one.amount.denominator,
        unit=one.unit,
        log_epoch=0,
        inbox_offset=0,
        fold_version=0,
        first_at=min((source.first_at for source in one.behind), default=0),
        last_at=max((source.last_at for source in one.behind), default=0),
        records=sum(source.records for source in one.behind),
        ranges=ranges,
        bom_revision=one.revision,
        correlations=told,
    )


def derive(
    configuration: Configuration, order: OrderRow, operation: str, date: str, accounts: Sequence[AccountRow], units: UnitTable
) -> list[Derived]:
    """All that follows for the consumption of one operation on one business date. `accounts`: all of the order. What no
    longer follows is given with quantity 0."""
    here = [row for row in accounts if row.operation == operation and row.business_date == date]
    made = here
    if (by := confirming(order, operation)) != operation:  # pieces are those of its milestone, loaded lots its own
        pieces = [row for row in accounts if (row.operation, row.business_date, row.kind) == (by, date, "yield")]
        made = [*pieces, *(row for row in here if row.kind == BASIS)] if pieces else []
    like = next(iter(here or made), None)
    if like is None:
        return []
    like = replace(_empty(like), operation=operation)
    if not (_follows(configuration, order, like) or any(_has_derived(row) for row in here)):
        return []
    wanted = [*_backflushed(configuration, order, like, made, units), *_exploded(configuration, order, here, units)]
    keys = {(row_key(one.account), one.source_key) for one in wanted}
    for row in here:
        for key, source in row.sources.items():
            if key.startswith((BACKFLUSH, PHANTOM)) and source.numerator and (row_key(row), key) not in keys:
                wanted.append(Derived(row, key, Fraction(0), source.unit, source.authority, source.bom_revision, ()))
    return wanted


def places(order: OrderRow, pieces: Iterable[AccountRow]) -> list[tuple[str, str]]:
    """Operations and business dates of which something may be derived when these accounts change: their own, and those that
    are confirmed with them."""
    found = {(row.operation, row.business_date) for row in pieces if row.kind in (BASIS, "yield", "consumption")}
    return sorted({(one, date) for operation, date in found for one in (operation, *confirmed_with(order, operation))})


def _follows(configuration: Configuration, order: OrderRow, like: AccountRow) -> bool:
    """Has the order, in any revision, a component that is backflushed here or a phantom? Most orders have none."""
    for component in (*order.components, *(one for bom in order.boms for one in bom.components)):
        if component.phantom:
            return True
        in_operation = operation_of_component(order, component, like.operation) in (like.operation, "")
        if in_operation and mode_of(configuration, component, account_of(like, component, "")) == "ledger_backflush":
            return True
    return False


def _has_derived(row: AccountRow) -> bool:
    return row.kind == "consumption" and any(key.startswith((BACKFLUSH, PHANTOM)) for key in row.sources)


def _backflushed(
    configuration: Configuration, order: OrderRow, like: AccountRow, here: Sequence[AccountRow], units: UnitTable
) -> Iterator[Derived]:
    """`like`: the operation and business date. `here`: the accounts of its pieces and of its loaded lots."""
    operation = like.operation
    made, yield_share = made_of(configuration, order, here, units) if here else ({}, Fraction(0))
    for name, pieces in sorted(made.items()):
        for component in pieces.components:
            if operation_of_component(order, component, operation) != operation or component.phantom:
                continue
            if mode_of(configuration, component, account_of(like, component, "")) != "ledger_backflush":
                continue
            per_piece = fraction(component.quantity.amount, component.quantity.scale) / component.base
            if basis_of(configuration, component, operation) == "yield":
                per_piece *= yield_share
            source_key = f"{BACKFLUSH}{component.item}|{component.position}|{operation}" + (f"|{name}" if name else "")
            for lot, count in sorted(lots_of(pieces, component).items()):
                account, unit = account_of(like, component, lot), component.quantity.unit
                yield Derived(account, source_key, count * per_piece, unit, "backflush", pieces.revision, pieces.sources)
            for (material, lot), count in sorted(substitutes(pieces, component).items()):
                account, unit = replace(account_of(like, component, lot), material=material), component.quantity.unit
                yield Derived(account, source_key, count * per_piece, unit, "backflush", pieces.revision, pieces.sources)


def made_of(
    configuration: Configuration, order: OrderRow, here: Sequence[AccountRow], units: UnitTable
) -> tuple[Mapping[str, Made], Fraction]:
    """Pieces by bill of material, and which part of them is yield. Gross is what the operation's authority counted; where it
    counts good pieces, scrap and rework come on top. By-products are no pieces."""
    authority = authority_of(configuration, order, here[0].operation)
    made: dict[str, Made] = {}

    def of(source: SourceTotal) -> Made:
        bill = bill_at(configuration, order, pin_of(source))
        known = made.get(bill.name)
        if known is None:
            known = made[bill.name] = Made(source.bom_revision, bill.components)
        return known

    gross = good = Fraction(0)
    main = next((one for one in order.items if one.role == "main"), None)
    for row in here:
        item = item_of(order, row.material)
        if row.kind not in ("yield", BASIS) or (item is not None and item.role == "by"):
            continue
        wanted, counted = [None if one is None else one.quantity.unit for one in (main, item)], row.kind == "yield"
        counts = weights_of(configuration, order, row) if counted else {}  # what is loaded is asked for often, and weighs nothing
        top = on_top(row, authority, counted_at(order, row.operation)) if counted else set()
        for key, source in sorted(row.sources.items()):
            amount = _pieces(source, wanted, row, units)
            if amount is None:
                continue  # its own account is parked with BAD_UNIT
            if not counted:
                of(source).by_lot[source.position, source.component_material, source.component_lot] += amount
                continue
            good += counts[key] * amount
            made_too = key in top and not is_returned(key, source) and not is_check(configuration, authority, source)
            if (counts[key] > 0 and source.kind != MOVED) or made_too:
                gross += amount
                of(source).gross += amount
                of(source).sources.append(source)
    return made, good / gross if gross else Fraction(0)


def _pieces(source: SourceTotal, wanted: Sequence[str | None], row: AccountRow, units: UnitTable) -> Fraction | None:
    """In the first wanted unit into which it converts: of the order's main item, which a bill is for, or of its own item. None
    among them: nothing is planned, and its own unit does. Returns None: in neither."""
    for unit in wanted:
        found = in_unit(row, source, source.unit if unit is None else unit, units)
        if not isinstance(found, Refusal):
            return found
    return None


def substitutes(pieces: Made, component: Component) -> dict[tuple[str, str], Fraction]:
    """(material, lot) -> pieces made while something that is in no bill was loaded in the component's place."""
    known = {one.material for one in pieces.components}
    found: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for (position, material, lot), count in pieces.by_lot.items():
        if lot and material and position and position == component.position and material not in known:
            found[material, lot] += count
    return found


def is_lot_of(place: tuple[str, str, str], component: Component) -> bool:
    """(position, material, lot): was a lot of the component loaded there?"""
    position, material, lot = place
    return bool(lot) and material == component.material and component.position in ("", position)


def lots_of(pieces: Made, component: Component) -> dict[str, Fraction]:
    """Pieces by lot of the component; what no loaded lot covers has none, and what was made of a substitute is not of it. More by
    lot than there are pieces (another authority counted them) is taken in proportion."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for place, count in pieces.by_lot.items():
        if is_lot_of(place, component):
            found[place[2]] += count
    covered = sum(found.values(), sum(substitutes(pieces, component).values(), Fraction(0)))
    if covered > pieces.gross >= 0:
        found = {lot: count * pieces.gross / covered for lot, count in found.items()}
    elif covered != pieces.gross:
        found[""] += pieces.gross - covered
    return found


def _exploded(configuration: Configuration, order: OrderRow, here: Sequence[AccountRow], units: UnitTable) -> Iterator[Derived]:
    """What was declared of a phantom is consumption of its components, in the ratio of the bill of material."""
    for row in here:
        for key, source in sorted(row.sources.items()):
            components = components_for(configuration, order, pin_of(source), row)
            phantom = phantom_of(components, row)
            if phantom is None:
                continue
            amount = in_unit(row, source, phantom.quantity.unit, units)
            if isinstance(amount, Refusal):
                continue  # the phantom's own account is parked with BAD_UNIT
            whole = fraction(phantom.quantity.amount, phantom.quantity.scale) / phantom.base
            for child in children_of(components, phantom):
                account = account_of(row, child, "")
                account.reason = row.reason
                part = fraction(child.quantity.amount, child.quantity.scale) / child.base
                name = f"{PHANTOM}{child.item}|{row.lot}|{row.place}|{key}"
                yield Derived(
                    account, name, amount * part / whole, child.quantity.unit, source.authority, source.bom_revision, (source,)
                )


def _empty(like: AccountRow) -> AccountRow:
    return AccountRow(like.plant, like.order, like.operation, "", "", like.kind, "", "", like.business_date, like.born_epoch)


def account_of(like: AccountRow, component: Component, lot: str) -> AccountRow:
    """The empty account of a component that follows the pieces of `like`."""
    return AccountRow(
        like.plant,
        like.order,
        like.operation,
        component.material,
        lot,
        "consumption",
        "",
        component.position,
        like.business_date,
        like.born_epoch,
    )
