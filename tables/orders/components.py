"""Components of an order: which one a consumption is of, how it is known, and whose reservation it reduces (docs/domain.md,
Components and reservations)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.records import AccountRow, Component, OrderRow, SourceTotal
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal


class Pin(NamedTuple):
    """What ties pieces to a bill of material: the revision that their run stated (or nothing), and when the first of them was
    made (microseconds)."""

    revision: str = ""
    at: int = 0


class Bill(NamedTuple):
    """A bill of material as it held. `name` tells it from the order's others."""

    name: str
    components: Sequence[Component]


def pin_of(source: SourceTotal) -> Pin:
    return Pin(source.bom_revision, source.first_at)


def pinned(row: AccountRow) -> Pin:
    """To which bill the account is tied; of several sources the one that was counted last decides."""
    newest = max(row.sources.values(), key=lambda source: (source.last_at, source.bom_revision), default=None)
    return pin_of(newest) if newest is not None else Pin()


def known_revision(order: OrderRow, revision: str) -> bool:
    """Did the order ever allow it? A run that states none, or an order without revisions, has nothing to disagree on."""
    return not revision or not order.bom_revision or revision == order.bom_revision or _earlier(order, revision) is not None


def components_at(configuration: Configuration, order: OrderRow, pin: Pin) -> Sequence[Component]:
    return bill_at(configuration, order, pin).components


def components_for(configuration: Configuration, order: OrderRow, pin: Pin, account: AccountRow) -> Sequence[Component]:
    """The bill that holds for the account. What that one cannot take (no such component, a phantom without components) waits
    until a later one can: somebody corrected the order."""
    found = components_at(configuration, order, pin)
    if not order.boms or _takes(found, account):
        return found
    later = [bom.components for bom in order.boms if pin.at < bom.until][1:]
    return next((components for components in (*later, order.components) if _takes(components, account)), found)


def _takes(components: Sequence[Component], account: AccountRow) -> bool:
    component = component_of(components, account)
    return component is not None and (not component.phantom or bool(children_of(components, component)))


def bill_at(configuration: Configuration, order: OrderRow, pin: Pin) -> Bill:
    """The bill of material that holds for what was made then: of the revision that is stated, else of all, the one that was in
    force. A change counts from its own time on (docs/domain.md, BOM revisions)."""
    now = Bill(pin.revision, order.components)
    if configuration.rules.order.bom == "latest" or not order.boms:
        return now
    former = [bom for bom in order.boms if bom.revision == pin.revision or not pin.revision]
    for bom in former:  # oldest first
        if pin.at < bom.until:
            return Bill(f"{pin.revision}@{bom.until}", bom.components)
    if former and pin.revision not in ("", order.bom_revision):
        return Bill(pin.revision, former[-1].components)
    return now


def _earlier(order: OrderRow, revision: str) -> Sequence[Component] | None:
    return next((bom.components for bom in order.boms if bom.revision == revision), None)


def candidates(components: Sequence[Component], account: AccountRow) -> list[Component]:
    """Components that the account may be of. A stated position that one has decides; else the operation's own come
    first, then by position."""
    found = [component for component in components if component.material == account.material]
    at_position = [one for one in found if account.place and one.position == account.place]
    own = [one for one in at_position if one.operation in ("", account.operation)]
    return sorted(own or at_position or found, key=lambda one: (one.operation != account.operation, one.position, one.item))


def component_of(components: Sequence[Component], account: AccountRow) -> Component | None:
    return next(iter(candidates(components, account)), None)


def children_of(components: Sequence[Component], phantom: Component) -> list[Component]:
    return [component for component in components if component.parent and component.parent == phantom.item]


def mode_of(configuration: Configuration, component: Component | None, account: AccountRow) -> str:
    """declared | metered | ledger_backflush | erp_backflush: what rules.yaml says, else the component's own flag."""
    position = component.position if component is not None else account.place
    stated = configuration.rules.mode_for(account.material, position, account.operation)
    if stated is not None:
        return stated.mode
    return component.mode if component is not None else "declared"


def basis_of(configuration: Configuration, component: Component, operation: str) -> str:
    """gross | yield: what a ledger_backflush component follows."""
    stated = configuration.rules.mode_for(component.material, component.position, operation)
    return stated.basis if stated is not None else component.basis


def need_of(order: OrderRow, component: Component, unit: str, units: UnitTable) -> Fraction | None:
    """What the whole order needs of the component, in `unit`; None: nobody can say."""
    main = next((item for item in order.items if item.role == "main"), None)
    if main is None:
        return None
    pieces = fraction(main.quantity.amount, main.quantity.scale)
    need = pieces * fraction(component.quantity.amount, component.quantity.scale) / component.base
    found = units.convert(need, component.quantity.unit, unit, component.material)
    return None if isinstance(found, Refusal) else found


class ItemShare(NamedTuple):
    """Part of a posting's amount for one reservation item, in steps."""

    item: str
    location: str
    amount: int


def shares(amount: int, found: Sequence[Component], needs: Mapping[str, int], issued: Mapping[str, int]) -> list[ItemShare]:
    """Give `amount` steps to reservation items, in the order of `found` until each need is met, the rest to the last.

    needs, issued: steps per item, of the whole order. A correction, also one of another day, takes back what was issued, from the
    last item first. The shares add up to `amount`.
    """
    left, given = amount, dict.fromkeys((component.item for component in found), 0)
    order = list(given)
    if amount > 0:
        for item in order[:-1]:
            given[item] = min(left, max(0, needs.get(item, 0) - issued.get(item, 0)))
            left -= given[item]
    else:
        for item in reversed(order[1:]):
            given[item] = -min(-left, max(0, issued.get(item, 0)))
            left -= given[item]
    given[order[-1] if amount > 0 else order[0]] += left
    locations = {component.item: component.issue_location for component in found}
    return [ItemShare(item, locations[item], steps) for item, steps in given.items() if steps]


def phantom_of(components: Sequence[Component], row: AccountRow) -> Component | None:
    """The phantom that the account is of, if it can be exploded."""
    found = next((one for one in candidates(components, row) if one.phantom), None) if row.kind == "consumption" else None
    return found if found is not None and found.quantity.amount and children_of(components, found) else None
