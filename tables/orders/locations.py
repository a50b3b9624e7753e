"""Where an account's quantity goes to or comes from: a posting names one location, an account may need several (docs/domain.md,
Locations). Chosen when a posting is issued, from what the account's postings have named before: a location that changes moves
nothing that was posted."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from schemas.configuration import Configuration
from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, OrderRow
from tables.orders import order as orders
from tables.orders.account import MOVED
from tables.orders.components import component_of, components_for, pinned
from tables.orders.conversions import in_unit
from tables.plant.units import UnitTable
from tables.quantity import round_half_away
from tables.refusal import Refusal

ReceivedAt = Callable[[str], str]
"""Where pieces of an equipment are received; of none, those of nobody."""


def place(configuration: Configuration, order: OrderRow, row: AccountRow, rule_at: RuleAt | None) -> None:
    """Receipt or issue location of the account, and its reservation item (docs/domain.md, Components and reservations). Of
    several receipt locations the first machine's."""
    if row.kind == "yield":
        item = orders.item_of(order, row.material)
        equipment = next((source.equipment for _, source in sorted(row.sources.items()) if source.equipment), "")
        row.location = receipt_location(configuration, order, rule_at, row.material, equipment)
        row.reservation_item = item.item if item is not None else ""
    elif row.kind == "consumption":
        component = component_of(components_for(configuration, order, pinned(row), row), row)
        stated = component.issue_location if component is not None else ""
        row.location = stated or (rule_at.rule.issue_location if rule_at is not None else "")
        row.reservation_item = component.item if component is not None else ""


def receipt_location(configuration: Configuration, order: OrderRow, rule_at: RuleAt | None, material: str, equipment: str) -> str:
    """The rule's, the machine's, or the order item's."""
    item = orders.item_of(order, material)
    entry = configuration.plant.equipment_for(equipment) if equipment else None
    return (
        (rule_at.rule.receipt_location if rule_at is not None else "")
        or (entry.receipt_location if entry is not None else "")
        or (item.receipt_location if item is not None else "")
    )


def of_pieces(row: AccountRow, counts: Mapping[str, int], received_at: ReceivedAt, units: UnitTable) -> dict[str, int]:
    """Location -> steps that an account of yield should have there, the oldest pieces first. What scrap and rework took of it
    counts where they were told, or where their run made pieces; else it takes from the youngest."""
    made, first, runs, nobody = dict[str, Fraction](), dict[str, int](), dict[str, str](), Fraction(0)
    for key, source in sorted(row.sources.items(), key=lambda one: (one[1].kind in ("scrap", "rework", MOVED), one[0])):
        amount = in_unit(row, source, row.unit, units)
        if isinstance(amount, Refusal) or not counts[key] or not amount:
            continue
        location = received_at(source.equipment) if source.equipment else runs.get(source.run)
        if source.kind in ("gross", "good"):
            location = received_at("") if location is None else location
            runs.setdefault(source.run, location)
            first[location] = min(first.get(location, source.first_at), source.first_at)
        if location is None or location not in first:
            nobody += counts[key] * amount
        else:
            made[location] = made.get(location, Fraction(0)) + counts[key] * amount
    found = {
        location: max(0, round_half_away(made[location], row.scale))
        for location in sorted(made, key=lambda one: (first[one], one))
    }
    left = round_half_away(nobody, row.scale)
    for location in reversed(list(found)) if left < 0 else ():
        part = min(-left, found[location])
        found[location] -= part
        left += part
    return found


def issued(row: AccountRow) -> dict[str, int]:
    """Location -> steps that the account's postings have put there, or taken from there; in the order in which they were first
    named."""
    found: dict[str, int] = {}
    for posting in row.issued:
        found[posting.location] = found.get(posting.location, 0) + posting.amount
    return found


def spread(amount: int, wanted: Mapping[str, int], issued: Mapping[str, int], default: str) -> dict[str, int]:
    """Location -> steps of a posting of `amount`, which they add up to. More goes to where something is missing, in the order of
    `wanted`; less comes from where there is too much, then from where something is, the last first. What is over goes to the
    first wanted location, or to `default`."""
    if len(wanted) < 2 and not issued.keys() - wanted.keys():
        return {next(iter(wanted), default): amount}
    found, left, sign = dict[str, int](), abs(amount), 1 if amount > 0 else -1

    def give(location: str, most: int) -> None:
        nonlocal left
        part = min(left, max(0, most))
        if part:
            found[location] = found.get(location, 0) + sign * part
            left -= part

    if sign > 0:
        for location, steps in wanted.items():
            give(location, steps - issued.get(location, 0))
    else:
        for location, steps in reversed(list(issued.items())):
            give(location, min(steps, steps - wanted.get(location, 0)))
        for location, steps in reversed(list(issued.items())):
            give(location, steps + found.get(location, 0))
    give(next(iter(wanted), default), left)
    return found
