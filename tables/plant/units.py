"""Units of measure: exact rational conversions, built-in ones and those of single materials (docs/domain.md, Units)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from tables.quantity import scaled
from tables.refusal import Refusal, RefusedValue

ANY_MATERIAL = "*"
MAX_DEFINITIONS = 100
"""Definitions of one material: a person wrote them."""

DECIMALS = 9
"""Of the numbers in a definition."""

# The base of each dimension first; upper case is how many ERPs spell the same unit.
_BUILT_IN: tuple[Mapping[str, Fraction], ...] = (
    {"g": Fraction(1), "mg": Fraction(1, 1000), "kg": Fraction(1000), "t": Fraction(1_000_000)},
    {"mm": Fraction(1), "cm": Fraction(10), "m": Fraction(1000), "km": Fraction(1_000_000)},
    {"ml": Fraction(1), "l": Fraction(1000)},
    {"ms": Fraction(1), "s": Fraction(1000), "min": Fraction(60_000), "h": Fraction(3_600_000)},
)

_SIDE = r"(\d[\d.]*)\s+([^\s=\d][^\s=]{0,15})"
_DEFINITION = re.compile(rf"\s*{_SIDE}\s*=\s*{_SIDE}\s*", re.ASCII)

Scale = Mapping[str, tuple[str, Fraction]]
"""unit -> (base unit of its dimension, how many of that base it is)."""


class Definitions(NamedTuple):
    """Definitions of a material as they were told. Times: microseconds."""

    since: int
    """From when they hold."""
    known_at: int
    """When they were told."""
    definitions: Sequence[str]


class MadeAt(NamedTuple):
    """Which definitions a quantity is converted by: those that held at `made_at` (0: nothing says when, and the newest hold) of
    what was told up to `known_by` (None: of all)."""

    made_at: int
    known_by: int | None


class _Scales(NamedTuple):
    since: int
    known_at: int
    scale: Scale


class UnitTable:
    """What converts into what, for every material. Immutable; a look-up costs two dictionary reads.

    `definitions`: material -> ["1 BOX = 48 PC", "10 PC = 319 g"]; those of `*` hold for every material. Unit names
    are case-sensitive, except that the built-in ones (mg g kg t, mm cm m km, ml l, ms s min h) are known in capitals
    too. Those of a material may have changed: each holds from its time on. Raises Refusal: BAD_UNIT for text that is no
    definition, UNIT_CONFLICT for one that contradicts another.
    """

    def __init__(self, definitions: Mapping[str, Iterable[str]] | None = None) -> None:
        given = dict(definitions or {})
        self._any = _extended(_built_in(), given.pop(ANY_MATERIAL, ()), ANY_MATERIAL)
        self._scales = {material: _extended(self._any, texts, material) for material, texts in given.items()}
        self._changed: Mapping[str, Sequence[_Scales]] = {}

    def with_material(self, material: str, definitions: Iterable[str]) -> "UnitTable":
        """A table in which `definitions` replace those of this material. Raises Refusal like the constructor."""
        assert material != ANY_MATERIAL, "what holds for all materials is configuration, not master data"
        return self.with_history(material, [Definitions(0, 0, list(definitions))])

    def with_history(self, material: str, told: Sequence[Definitions]) -> "UnitTable":
        """The same with all that was told of the material, in the order of the times from which it holds. What was made before
        the first of these times is converted by the first. `told`: at least one."""
        scales = [_Scales(one.since, one.known_at, _extended(self._any, one.definitions, material)) for one in told]
        changed = UnitTable.__new__(UnitTable)
        changed._any = self._any
        changed._scales = {**self._scales, material: scales[-1].scale}
        others = {name: known for name, known in self._changed.items() if name != material}
        changed._changed = {**others, material: scales} if len(scales) > 1 else others
        return changed

    def changed(self, material: str) -> bool:
        """Did definitions of the material hold before those of now?"""
        return material in self._changed

    def convert(
        self, value: Fraction, from_unit: str, to_unit: str, material: str = "", held: MadeAt | None = None
    ) -> Fraction | Refusal:
        """`value` from_unit as to_unit, exactly; BAD_UNIT when nothing says how. A unit converts into itself. `held`: by which
        definitions, where those of the material changed; None: by the newest."""
        if from_unit == to_unit:
            return value
        if held is not None and held.made_at and material in self._changed:
            return self._by_time(value, from_unit, to_unit, material, held)
        factor = self.factor(from_unit, to_unit, material)
        return factor if isinstance(factor, Refusal) else value * factor

    def _by_time(self, value: Fraction, from_unit: str, to_unit: str, material: str, held: MadeAt) -> Fraction | Refusal:
        """By what held then; where that does not convert it, by the next that does: somebody told what was missing."""
        for scale in self._held(material, held):
            factor = _factor(scale, from_unit, to_unit, material)
            if not isinstance(factor, Refusal):
                return value * factor
        return factor

    def _held(self, material: str, held: MadeAt) -> Iterator[Scale]:
        """What held then, and what was told of later times. At least one."""
        told = self._changed[material]
        known = [one for one in told if held.known_by is None or one.known_at <= held.known_by] or told
        then = [one for one in known if one.since <= held.made_at][-1:] or known[:1]
        yield then[0].scale
        yield from (one.scale for one in told[told.index(then[0]) + 1 :])

    def factor(self, from_unit: str, to_unit: str, material: str = "") -> Fraction | Refusal:
        """How many to_unit one from_unit is by the newest definitions; BAD_UNIT when nothing says so."""
        if from_unit == to_unit:
            return Fraction(1)
        return _factor(self._scales.get(material, self._any), from_unit, to_unit, material)


def _factor(scale: Scale, from_unit: str, to_unit: str, material: str) -> Fraction | Refusal:
    origin, target = scale.get(from_unit), scale.get(to_unit)
    if origin is None or target is None or origin[0] != target[0]:
        return Refusal("BAD_UNIT", f"Nothing says how many {to_unit!r} of {material!r} one {from_unit!r} is.")
    return origin[1] / target[1]


def _built_in() -> Scale:
    scale: dict[str, tuple[str, Fraction]] = {}
    for dimension in _BUILT_IN:
        base = next(iter(dimension))
        for unit, factor in dimension.items():
            scale[unit] = scale[unit.upper()] = (base, factor)
    return scale


def _extended(scale: Scale, texts: Iterable[str], material: str) -> Scale:
    """`scale` with the definitions of `texts` joined in; every unit stays expressed in one base per dimension."""
    known = dict(scale)
    for count, text in enumerate(texts, 1):
        if count > MAX_DEFINITIONS:
            raise RefusedValue("BAD_UNIT", f"{material}: more than {MAX_DEFINITIONS} definitions.")
        unit, other, ratio = _parsed(text, material)
        base, factor = known.setdefault(unit, (unit, Fraction(1)))
        other_base, other_factor = known.setdefault(other, (other, Fraction(1)))
        # one `unit` = `ratio` of `other`: how many of other_base one base is
        per_base = ratio * other_factor / factor
        if base != other_base:
            known = {
                name: (other_base, size * per_base) if root == base else (root, size) for name, (root, size) in known.items()
            }
        elif per_base != 1:
            stated = factor / other_factor
            raise RefusedValue(
                "UNIT_CONFLICT", f"{material}: {text!r} contradicts the others, by which 1 {unit} = {stated} {other}."
            )
    return known


def _parsed(text: str, material: str) -> tuple[str, str, Fraction]:
    """What a definition says: unit, other unit, and how many of the other one of it is ("10 PC = 319 g": 319/10)."""
    match = _DEFINITION.fullmatch(text)
    if match is None:
        raise RefusedValue("BAD_UNIT", f"{material}: {text!r} is no definition; write it like '1 BOX = 48 PC'.")
    count, unit, other_count, other = match.groups()
    left, right = scaled(count, DECIMALS), scaled(other_count, DECIMALS)
    if isinstance(left, Refusal) or isinstance(right, Refusal) or left == 0 or right == 0:
        raise RefusedValue("BAD_UNIT", f"{material}: {text!r} needs two numbers above zero, at most {DECIMALS} decimals.")
    return unit, other, Fraction(right, left)
