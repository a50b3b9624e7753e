"""The unit in which an account is kept and posted, and its smallest step (docs/domain.md, Units)."""

from collections import Counter

from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, MaterialRow, OrderRow
from tables.orders import order as orders
from tables.orders.account import TIMES
from tables.orders.plant_rules import PlantRules
from tables.refusal import Refusal

DEFAULT_DECIMALS = {"kg": 3, "l": 3, "m": 3, "t": 6, "h": 2, "min": 1, "s": 0, "ms": 0}
"""Of ERP units that no material master describes; pieces and boxes have none."""
TIME_UNIT = "min"
"""Of activities for which neither rule nor booking states one: ERPs plan and confirm them in minutes or hours, never in ms."""


def erp_unit(
    rules: PlantRules, order: OrderRow, row: AccountRow, rule_at: RuleAt | None, material: MaterialRow | None
) -> tuple[str, int]:
    """The rule's unit, the material's, the activity's, or the one that the order is planned and counted in."""
    unit, decimals = (rule_at.rule.unit, rule_at.rule.decimals) if rule_at is not None else ("", None)
    if row.kind in TIMES:
        booking = rules.configuration.erp.book.get(row.kind)  # type: ignore[call-overload]
        unit = unit or (booking.unit if booking is not None else "") or TIME_UNIT
        decimals = decimals if decimals is not None else (booking.decimals if booking is not None else None)
    elif not unit and material is not None:
        unit, decimals = material.unit, material.decimals if decimals is None else decimals
    unit = unit or _planned_unit(rules, order, row)
    return unit, decimals if decimals is not None else DEFAULT_DECIMALS.get(unit.lower(), 0)


def _planned_unit(rules: PlantRules, order: OrderRow, row: AccountRow) -> str:
    """The unit that the plant's counters count it in, if it converts into what the order plans in; else the planned one. A
    function of configuration and order: what was stated first decides nothing, and what does not convert stands apart.
    Without any plan, the unit that most of the sources state."""
    configuration, units = rules.configuration, rules.units

    def fits(unit: str, into: str) -> bool:
        return not isinstance(units.factor(unit, into, row.material), Refusal)

    planned = orders.planned_unit(configuration, order, row)
    stated = Counter(source.unit for source in row.sources.values())
    if not planned:  # a material of an operation before the last: the pieces of the order
        planned = next((item.quantity.unit for item in order.items if any(fits(unit, item.quantity.unit) for unit in stated)), "")
    if not planned:
        return min(stated, key=lambda unit: (-stated[unit], unit), default="PC")
    by = orders.counted_by(configuration, order, row)
    counted = {unit for counts in by for unit in rules.counter_units.get(counts, ()) if fits(unit, planned)}
    return planned if planned in counted else min(counted, default=planned)
