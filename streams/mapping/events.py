"""Rules: from the fields of a record to a canonical event or a reading."""

from collections.abc import Container
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from schemas.configuration.mapping import Emission, EventRule
from schemas.records import RECORDS, Quantity
from streams.mapping.dispatch import DispatchRule, compile_dispatch
from streams.mapping.fields import compile_field
from streams.mapping.items import Item, Problems, RawRecord, RefusedInMapping, placed
from streams.mapping.readings import compile_reading
from streams.mapping.records import (
    ALIASES,
    CANONICAL,
    MAY_BE_EMPTY,
    NEWEST_WINS,
    READING,
    Field,
    fields_of,
)
from streams.mapping.rules import Action, Context, correlation_of, equipment_of, occurred_at_of, takes_empty
from streams.mapping.scalars import FieldGetter
from tables.canonical import ACCOUNT_KINDS, ENVELOPE

_STATED = frozenset({"occurred_at", "correlation_id"})


def compile_rule(rule: EventRule, context: Context, problems: Problems) -> Action:
    """The action of one rule; everything that is wrong with it goes to `problems`."""
    if rule.ignore:
        return Action(rule.line, takes_empty=True)
    action = _compile_emission(rule, context, problems)
    further = []
    for index, other in enumerate(rule.also):
        target = _compile_emission(other, context, problems.at("also", index))
        further.append(compile_dispatch([DispatchRule(other.when, target, other.unless)], problems.at("also"), ()))
    return replace(action, also=tuple(further))


def _compile_emission(rule: Emission, context: Context, problems: Problems) -> Action:
    if rule.emit == READING:
        return compile_reading(rule, context, problems)
    if rule.emit not in CANONICAL:
        near = get_close_matches(rule.emit, [*CANONICAL, READING], 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "the reference lists all events"
        problems.add(f"`emit: {rule.emit}` is no event; {hint}")
        return Action(rule.line)
    return _compile_record(rule, context, problems)


def _compile_record(rule: Emission, context: Context, problems: Problems) -> Action:
    record, scope, envelope = rule.emit, context.scope, context.envelope
    known = fields_of(record)
    stated = {ALIASES.get((record, name), name): expression for name, expression in rule.fields.items()}
    getters: list[tuple[str, FieldGetter, bool]] = []
    for name, expression in stated.items():
        here = problems.at(name)
        if name in _STATED or name == "equipment":
            continue
        if name not in known or name in ENVELOPE:
            here.add(f"{record} has no field `{name}` to map; it has {_listed(known)}")
            continue
        getters.append((name, compile_field(record, known[name], expression, scope, here), known[name].required))
    equipment = equipment_of(stated, context, problems) if "equipment" in known else None
    missing = _unstated(record, known, stated, bool(context.read.equipment))
    if missing:
        problems.add(f"{record} needs {', '.join(f'`{name}`' for name in missing)}")
    cls, plant_id, source = RECORDS[record], scope.plant.plant.id, context.name
    occurred = occurred_at_of(stated, context, problems)
    correlation = correlation_of(stated, context, problems)
    own_run = record == "RunStarted" and "run" not in stated
    own_version = record in NEWEST_WINS and "version" not in stated
    needs_equipment = equipment is not None and known["equipment"].required
    ordered, sources = "source_seq" in known, frozenset(scope.plant.sources)

    def build(node: Any, raw: RawRecord, pair: int) -> Item:
        arrived = raw.received_at
        try:
            occurred_at = _present(occurred(node, node, arrived), "occurred_at")
        except RefusedInMapping as wrong:
            raise placed(wrong, "occurred_at", stated.get("occurred_at", context.read.occurred_at)) from None
        event_id = envelope.event_id(node, raw, pair)
        values: dict[str, Any] = {
            "event_id": event_id,
            "plant": plant_id,
            "occurred_at": occurred_at,
            "received_at": envelope.received_at(node, raw, occurred_at, context.clock),
            "source": source,
            "raw_source": raw.raw_source,
            "raw_offset": raw.raw_offset,
        }
        if ordered:
            values["source_seq"], values["raw_part"] = envelope.number_of(node), pair
        correlation_id = correlation(node, node, arrived)
        if correlation_id is not None:
            values["correlation_id"] = correlation_id
        if equipment is not None:
            name = equipment(node, node)
            if name is not None:
                values["equipment"] = name
            elif needs_equipment:
                raise RefusedInMapping("MISSING_FIELD", f"{record} has no `equipment`")
        field = ""
        try:
            for field, getter, required in getters:
                value = getter(node, node, arrived)
                if value is None or (required and value == "" and (record, field) not in MAY_BE_EMPTY):
                    if required:
                        raise RefusedInMapping("MISSING_FIELD", f"{record} has no `{field}`")
                    continue
                values[field] = value
        except RefusedInMapping as wrong:
            raise placed(wrong, field, stated[field]) from None
        if values.get("entry"):
            values["entry"] = _entry_of(source, values["entry"], sources)
        if own_run:
            values["run"] = event_id
        if own_version:
            values["version"] = occurred_at
        if record in ACCOUNT_KINDS and not values.get("equipment") and not values.get("order"):
            raise RefusedInMapping("MISSING_FIELD", f"{record} has neither `equipment` nor `order`")
        return cls(**values)

    quantity = next((getter for name, getter, _ in getters if known[name].hint is Quantity), None)
    return Action(rule.line, takes_empty(rule), ACCOUNT_KINDS.get(record, ""), build, equipment, quantity)


def _entry_of(source: str, name: str, sources: Container[str]) -> str:
    """Entries are named like events, `source:name`; a source may name the entry of another one."""
    head, colon, _ = name.partition(":")
    return name if colon and head in sources else f"{source}:{name}"


def _unstated(record: str, known: dict[str, Field], stated: dict[str, Any], has_equipment: bool) -> list[str]:
    """Required fields that neither the rule nor a default gives."""
    given = {*stated, *ENVELOPE}
    if record == "RunStarted":
        given.add("run")
    if record in NEWEST_WINS:
        given.add("version")
    if has_equipment:
        given.add("equipment")
    missing = [name for name, field in known.items() if field.required and name not in given]
    if record in ACCOUNT_KINDS and not given & {"order", "equipment"}:
        missing.append("order` or `equipment")
    return missing


def _present(value: int | None, name: str) -> int:
    if value is None:
        raise RefusedInMapping("MISSING_FIELD", f"the record has no `{name}`")
    return value


def _listed(known: dict[str, Field]) -> str:
    return ", ".join(name for name in known if name not in ENVELOPE)
