"""Fields that are one value: texts, whole numbers, flags, quantities."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.configuration.mapping import Function
from schemas.configuration.plant import PlantConfig
from schemas.records import Quantity
from streams.mapping.items import MAX_IDENTIFIER, MAX_TEXT, Problems, RefusedInMapping
from streams.mapping.paths import constant_of
from streams.mapping.private import Hash
from streams.mapping.records import BOUNDS, FREE_TEXT, LOTS, PERSONS, SCALES, WORDS
from streams.mapping.texts import TextGetter, compile_text, outcomes, without_leading_zeros
from tables.quantity import scaled
from tables.refusal import Refusal

FieldGetter = Callable[[Any, Any, int], Any]
"""(node, root, arrived_at) -> the field's value, None where nothing is. Raises Refusal."""

_IDENTIFIER = re.compile(rf"[^|\x00-\x1f\x7f]{{0,{MAX_IDENTIFIER}}}")
_UNIT_IN_CONVERSION = re.compile(r"\d\s+([^\s=]+)")
_UNIT = re.compile(r"[^\s|\x00-\x1f\x7f]{1,16}")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_FLAG_WORDS = frozenset({"true", "yes", "false", "no"})
_CLEANING: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "strip_zeros": without_leading_zeros,
}


@dataclass(slots=True, frozen=True)
class Scope:
    """What fields need to know of the plant."""

    plant: PlantConfig
    hashed: Hash
    number: str | None = None
    """How the source writes numbers, where a value does not say so itself; None: plainly."""
    no_lots: list[str] = field(default_factory=list)
    """What was no lot while a record was mapped. The mapper tells it and empties the list."""

    def number_text(self, expression: Any, problems: Problems) -> TextGetter:
        """The text of a number, plain, from any form that a source writes."""
        if self.number is not None and isinstance(expression, str) and constant_of(expression) is None:
            expression = Function(path=expression, number=self.number)
        elif isinstance(expression, Function) and expression.number is None:
            expression = expression.model_copy(update={"number": self.number})
        return compile_text(expression, self.plant.tables, problems)

    @property
    def units(self) -> frozenset[str]:
        """Units that the configuration names: a bare word among them is meant as a unit, not as a path."""
        named = {counter.unit for entry in self.plant.equipment.values() for counter in entry.counters.values()}
        told = (word for texts in self.plant.units.values() for text in texts for word in _UNIT_IN_CONVERSION.findall(text))
        return frozenset({"PC", *named, *told})

    def clean_lot(self, text: str) -> str:
        for name in self.plant.lots.clean:
            text = _CLEANING[name](text)
        return text

    def is_lot(self, text: str) -> bool:
        """Does a cleaned text look like a lot?"""
        return not self.plant.lots.pattern or re.fullmatch(self.plant.lots.pattern, text) is not None


def identifier(text: str, name: str) -> str:
    """`text` if it can be part of a key. Raises Refusal BAD_IDENTIFIER."""
    if _IDENTIFIER.fullmatch(text) is None:
        raise RefusedInMapping(
            "BAD_IDENTIFIER", f"`{name}` has more than {MAX_IDENTIFIER} characters, a `|` or a control character"
        )
    return text


def text_field(record: str, name: str, expression: Any, scope: Scope, problems: Problems) -> FieldGetter:
    """A text; cleaned when it is a lot, hashed when it is a person, checked when only some words are allowed."""
    text = compile_text(expression, scope.plant.tables, problems)
    words = WORDS.get((record, name))
    if name in PERSONS and isinstance(expression, Function) and expression.split:
        problems.add(f"`{name}` is private and hashed before it is read: it cannot be split; give its whole value")
    known = outcomes(expression, scope.plant.tables) or ()
    if words is not None:
        _no_bare_word(expression, words, problems)
        for word in known:
            if word not in words:
                problems.add(f"`{name}` can become `{word}`, which is none of {', '.join(words)}")
    if name in LOTS:
        _fitting_lots(known, scope, problems)

    def get(node: Any, root: Any, arrived_at: int) -> str | None:
        value = text(node, root)
        if value is None:
            return None
        if name in PERSONS:
            return scope.hashed(value)
        if name in LOTS:
            value = scope.clean_lot(value)
            if value and not scope.is_lot(value):
                scope.no_lots.append(f"`{name}` is `{value[:64]}`")
                value = ""
        if words is not None and value not in words:
            raise RefusedInMapping("UNKNOWN_CODE", f"`{name}` is `{value[:64]}`, which is none of {', '.join(words)}")
        if name == "unit" and not _UNIT.fullmatch(value):
            raise no_unit(value)
        if name == "over_delivery" and value != "unlimited" and isinstance(scaled(value, 9), Refusal):
            raise RefusedInMapping("BAD_DECIMAL", f"`over_delivery` is `{value[:64]}`, neither a percentage nor unlimited")
        if name in FREE_TEXT:
            if len(value) > MAX_TEXT:
                raise RefusedInMapping("BAD_FIELD", f"`{name}` has more than {MAX_TEXT} characters")
            return value
        return identifier(value, name)

    def get_free(node: Any, root: Any, arrived_at: int) -> str | None:
        value = text(node, root)
        if value is not None and len(value) > MAX_TEXT:
            raise RefusedInMapping("BAD_FIELD", f"`{name}` has more than {MAX_TEXT} characters")
        return value

    return get_free if name in FREE_TEXT else get


def _no_bare_word(expression: Any, meant: Collection[str], problems: Problems) -> None:
    """A path that is spelled like a value of its field finds nothing, and the field's default would hold in silence."""
    if isinstance(expression, str) and expression in meant:
        problems.add(
            f"`{expression}` is a path, and a constant seems to be meant: write `={expression}`; "
            f"if a field of the record is really called so, write {{path: {expression}}}"
        )


def _fitting_lots(known: Iterable[str], scope: Scope, problems: Problems) -> None:
    longest = scope.plant.lots.erp_max_length
    for lot in known:
        if not scope.is_lot(scope.clean_lot(lot)):
            problems.add(f"lot `{lot}` does not look like `lots.pattern`")
        if longest and len(scope.clean_lot(lot)) > longest:
            problems.add(f"lot `{lot}` has {len(scope.clean_lot(lot))} characters, and the ERP takes {longest} (LOT_TOO_LONG)")


def whole_field(name: str, text: TextGetter) -> FieldGetter:
    """A whole number within the bounds of its field."""
    low, high = BOUNDS.get(name, (-(2**63) + 1, 2**63 - 1))
    scales = name in SCALES

    def get(node: Any, root: Any, arrived_at: int) -> int | None:
        value = text(node, root)
        if value is None or value == "":
            if value is not None and scales:
                raise RefusedInMapping("MISSING_FIELD", f"`{name}` is empty; where that means 1, map `FIELD || =1`")
            return None
        number = scaled(value, 0)
        if isinstance(number, Refusal):
            raise RefusedInMapping(number.code, f"`{name}`: {number.detail}")
        if not low <= number <= high:
            raise RefusedInMapping("BAD_DECIMAL", f"`{name}` is {number}, which is not from {low} to {high}")
        return number

    return get


def flag_field(name: str, expression: Any, scope: Scope, problems: Problems) -> FieldGetter:
    """true, yes, 1 or false, no, 0; anything else needs `codes`."""
    _no_bare_word(expression, _FLAG_WORDS, problems)
    text = compile_text(expression, scope.plant.tables, problems)

    def get(node: Any, root: Any, arrived_at: int) -> bool | None:
        value = text(node, root)
        if value is None or value == "":
            return None
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise RefusedInMapping("UNKNOWN_CODE", f"`{name}` is `{value[:64]}`, neither true nor false; map it with `codes`")

    return get


def no_unit(text: str) -> RefusedInMapping:
    return RefusedInMapping(
        "BAD_UNIT", f"`{text[:64]}` is no unit" if text.strip() else "there is no unit: its field is empty or missing"
    )


def quantity_field(expression: Any, scope: Scope, problems: Problems) -> FieldGetter:
    """An exact decimal with its unit. Refusals: BAD_DECIMAL, BAD_UNIT."""
    if not isinstance(expression, Function) or expression.unit is None:
        problems.add("a quantity is written {path: qty, decimals: 0, unit: =PC}")
        return lambda node, root, arrived_at: None
    amount = scope.number_text(expression, problems)
    unit = compile_text(expression.unit, scope.plant.tables, problems.at("unit"))
    _no_bare_word(expression.unit, scope.units, problems.at("unit"))
    constants = outcomes(expression.unit, scope.plant.tables)
    if constants is not None and not all(_UNIT.fullmatch(text) for text in constants):
        problems.at("unit").add("a unit has 1 to 16 characters and no blank")
    decimals, rounding = expression.decimals or 0, expression.rounding

    def get(node: Any, root: Any, arrived_at: int) -> Quantity | None:
        text = amount(node, root)
        if text is None or text == "":
            return None
        number = scaled(text, decimals, rounding)
        if isinstance(number, Refusal):
            raise RefusedInMapping(number.code, number.detail)
        try:
            name = unit(node, root)
        except RefusedInMapping as wrong:
            raise RefusedInMapping("BAD_UNIT", wrong.detail) from None
        if not name or not _UNIT.fullmatch(name):
            raise no_unit(name or "")
        return Quantity(number, decimals, name)

    return get
