"""Readings of counters: the hot path of a mapping."""

from collections.abc import Callable
from typing import Any

from schemas.configuration.counters import Counter
from schemas.configuration.mapping import Emission, Function
from schemas.configuration.plant import PlantConfig
from streams.mapping.items import MAX_INT64, UNAVAILABLE, Problems, RawRecord, Reading, RefusedInMapping, placed
from streams.mapping.paths import TEXT, Getter, compile_path, constant_of
from streams.mapping.records import READING
from streams.mapping.rules import Action, Context, equipment_of, occurred_at_of, takes_empty
from streams.mapping.scalars import Scope
from streams.mapping.texts import TextGetter, compile_text, outcomes
from streams.mapping.times import states_wall_time
from tables.plant.local_time import changes_clocks, zone_of
from tables.quantity import Rounding, scaled
from tables.refusal import Refusal

_UNAVAILABLE_WORD = "UNAVAILABLE"


def compile_reading(rule: Emission, context: Context, problems: Problems) -> Action:
    """The action of a rule that emits CounterReading."""
    scope, envelope, clock = context.scope, context.envelope, context.clock
    for name in rule.fields:
        if name not in {"counter", "value", "equipment", "occurred_at"}:
            problems.at(name).add(f"{READING} has no field `{name}`; it has counter, value, equipment, occurred_at")
    missing = [name for name in ("counter", "value") if name not in rule.fields]
    if "equipment" not in rule.fields and not context.read.equipment:
        missing.append("equipment")
    if missing:
        problems.add(f"{READING} needs {', '.join(f'`{name}`' for name in missing)}")
        return Action(rule.line)
    equipment = equipment_of(rule.fields, context, problems)
    names = rule.fields["counter"]
    expression = rule.fields["value"]
    counter_of = compile_text(names, scope.plant.tables, problems.at("counter"))
    counters = _counters(scope.plant)
    for constant in outcomes(names, scope.plant.tables) or ():
        _check_counter(constant, expression, scope.plant, problems)
    _check_passes(rule, context, outcomes(names, scope.plant.tables), problems.at("occurred_at"))
    value_of = _reading_value(expression, scope, problems.at("value"))
    unit_of = _reading_unit(expression, scope, problems.at("value", "unit"))
    occurred = occurred_at_of(rule.fields, context, problems)
    sequence = envelope.sequence

    def build(node: Any, raw: RawRecord, pair: int) -> Reading:
        try:
            occurred_at = occurred(node, node, raw.received_at)
        except RefusedInMapping as wrong:
            raise placed(wrong, "occurred_at", rule.fields.get("occurred_at", context.read.occurred_at)) from None
        name = equipment(node, node)
        counter = counter_of(node, node)
        if occurred_at is None or not name or not counter:
            absent = "occurred_at" if occurred_at is None else "counter" if name else "equipment"
            raise RefusedInMapping("MISSING_FIELD", f"the reading has no `{absent}`")
        definition = counters.get((name, counter)) or counters.get(("*", counter))
        if definition is None:
            raise RefusedInMapping("UNKNOWN_COUNTER", f"counter `{counter[:64]}` of {name} is not configured")
        if unit_of is not None and unit_of(node, node) != definition.unit:
            raise RefusedInMapping("BAD_UNIT", f"the reading is not in {definition.unit}, the unit of counter {counter}")
        try:
            value = value_of(node, definition.decimals)
        except RefusedInMapping as wrong:
            raise placed(wrong, "value", expression) from None
        received_at = envelope.received_at(node, raw, occurred_at, clock)
        return Reading(name, counter, sequence(node, node), occurred_at, value, received_at)

    return Action(rule.line, takes_empty(rule), "", build, equipment)


def _reading_value(expression: Any, scope: Scope, problems: Problems) -> Callable[[Any, int], int]:
    rounding: Rounding = "exact"
    plain = isinstance(expression, str) and scope.number is None
    if isinstance(expression, Function):
        rounding = expression.rounding
        bare = expression.model_copy(update={"decimals": None, "unit": None, "rounding": "exact"})
        plain = scope.number is None and bare == Function(path=expression.path)
    path = expression if isinstance(expression, str) else getattr(expression, "path", "")
    getter: Getter = compile_path(path, problems) if plain and path else scope.number_text(expression, problems)

    def value(node: Any, decimals: int) -> int:
        found: Any = getter(node, node)
        if type(found) is int:
            amount: int = found * 10**decimals
            if -MAX_INT64 <= amount <= MAX_INT64:
                return amount
            raise RefusedInMapping("BAD_DECIMAL", "the reading is beyond 64 bits")
        if found == _UNAVAILABLE_WORD:
            return UNAVAILABLE
        if found is None or found == "":
            raise RefusedInMapping("MISSING_FIELD", "the reading has no `value`")
        if type(found) is not str:
            found = _text_of(found)
        number = scaled(found, decimals, rounding)
        if isinstance(number, Refusal):
            raise RefusedInMapping(number.code, number.detail)
        return number

    return value


def _text_of(found: Any) -> str:
    """Of an XML element with attributes its text; anything else is no number."""
    if type(found) is not dict or TEXT not in found:
        raise RefusedInMapping("BAD_DECIMAL", "the reading is no number")
    return str(found[TEXT])


def _reading_unit(expression: Any, scope: Scope, problems: Problems) -> TextGetter | None:
    """The unit when the record states it; a constant one is compared with the counters while compiling."""
    unit = getattr(expression, "unit", None)
    if unit is None or (isinstance(unit, str) and constant_of(unit) is not None):
        return None
    return compile_text(unit, scope.plant.tables, problems)


def _counters(plant: PlantConfig) -> dict[tuple[str, str], Counter]:
    """Every counter by (equipment, name); the equipment `*` stands for those that are not listed."""
    return {
        (name, counter): definition
        for name in plant.equipment
        for counter, definition in (plant.equipment_for(name) or plant.equipment[name]).counters.items()
    }


def _check_passes(rule: Emission, context: Context, names: list[str] | None, problems: Problems) -> None:
    """Totals whose two passes through the repeated hour were laid over each other would fall and rise where nothing was made."""
    time, plant = rule.fields.get("occurred_at", context.read.occurred_at), context.scope.plant
    if not isinstance(time, Function) or time.ambiguous not in ("first", "second") or context.read.sequence is not None:
        return
    totals = [
        name for (_, name), counter in _counters(plant).items() if counter.shows != "increment" and name in (names or [name])
    ]
    mixed = bool(totals) and changes_clocks(zone_of(time.zone or plant.plant.zone))
    if mixed and states_wall_time(time.date or "iso"):
        problems.add(
            f"`ambiguous: {time.ambiguous}` lays the two passes of the repeated hour over each other, and counter `{totals[0]}` "
            "shows no increments; write `arrival` with a stated `received_at`, leave `reject`, give a `sequence`, or send UTC"
        )


def _check_counter(counter: str, expression: Any, plant: PlantConfig, problems: Problems) -> None:
    found = {name: definition for (name, known), definition in _counters(plant).items() if known == counter}
    if not found:
        problems.at("counter").add(f"no equipment has a counter `{counter}`; add it under `equipment: ... counters:`")
    decimals = getattr(expression, "decimals", None)
    unit = getattr(expression, "unit", None)
    constant = constant_of(unit) if isinstance(unit, str) else None
    for name, definition in found.items():
        if decimals is not None and decimals != definition.decimals:
            problems.at("value", "decimals").add(
                f"the value has {decimals} decimals, counter `{counter}` of {name} has {definition.decimals}; "
                f"write `decimals: {decimals}` at the counter too"
            )
        if constant is not None and constant != definition.unit:
            problems.at("value", "unit").add(
                f"the value is in {constant}, counter `{counter}` of {name} counts {definition.unit}; "
                f"write `unit: {constant}` at the counter too"
            )
