"""What rules of one source share, and the fields that a rule may state instead of its source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.configuration.mapping import Emission, Read
from streams.mapping.envelope import ARRIVAL_GUESSED, ARRIVAL_UNKNOWN, Envelope, LatestTime, compile_equipment, is_guessed
from streams.mapping.items import Item, Problems, RawRecord
from streams.mapping.scalars import FieldGetter, Scope, identifier
from streams.mapping.texts import TextGetter, compile_text
from streams.mapping.times import TimeGetter, compile_time

Build = Callable[[Any, RawRecord, int], Item]
"""(fields, raw, index of the pair) -> an event or a Reading. Raises Refusal."""


@dataclass(slots=True, frozen=True)
class Action:
    """What a rule does. `build` is None when it ignores."""

    line: int
    takes_empty: bool = False
    """SHDR: the rule says what an empty value means; for all others it is a damaged line."""
    kind: str = ""
    build: Build | None = None
    equipment: TextGetter | None = None
    quantity: FieldGetter | None = None
    also: tuple[Callable[[Any], "Action | None"], ...] = ()
    """Further events of the same record, each where its condition holds."""


@dataclass(slots=True, frozen=True)
class Context:
    """What all rules of a source share."""

    name: str
    envelope: Envelope
    scope: Scope
    clock: LatestTime
    read: Read
    """How the source reads what its rules do not state themselves."""


def takes_empty(rule: Emission) -> bool:
    """Does `when` name the empty value?"""
    return "" in rule.when.get("value", ())


def equipment_of(stated: dict[str, Any], context: Context, problems: Problems) -> TextGetter:
    if "equipment" not in stated:
        return context.envelope.equipment
    return compile_equipment(stated["equipment"], context.scope.plant, problems.at("equipment"))


def occurred_at_of(stated: dict[str, Any], context: Context, problems: Problems) -> TimeGetter:
    if "occurred_at" not in stated:
        return context.envelope.occurred_at
    plant, here = context.scope.plant, problems.at("occurred_at")
    if getattr(stated["occurred_at"], "ambiguous", "") == "arrival" and context.envelope.received_field is None:
        here.add(ARRIVAL_UNKNOWN)
    elif getattr(stated["occurred_at"], "ambiguous", "") == "arrival" and is_guessed(context.read):
        here.add(ARRIVAL_GUESSED)
    return compile_time(stated["occurred_at"], plant.tables, plant.plant.zone, here)


def correlation_of(stated: dict[str, Any], context: Context, problems: Problems) -> FieldGetter:
    if "correlation_id" not in stated:
        return context.envelope.correlation_id
    text = compile_text(stated["correlation_id"], context.scope.plant.tables, problems.at("correlation_id"))

    def get(node: Any, root: Any, arrived_at: int) -> str | None:
        value = text(node, root)
        return None if value is None else identifier(value, "correlation_id")

    return get
