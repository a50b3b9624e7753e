"""One thing as rows of its tables. A newer entry of the same key replaces all rows of the older one."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from schemas.records import Decision, RawRange
from tables.quantity import decimal_text

Values = dict[str, Any]
"""Column -> value."""


class BookEntry(NamedTuple):
    """`family`: name of the root table. `key`: of the thing, in all its tables. `rows`: table -> its rows, without the key."""

    family: str
    key: Values
    rows: Mapping[str, Sequence[Values]]

    @property
    def identity(self) -> tuple[Any, ...]:
        return (self.family, *self.key.values())


def at(micros: int | None) -> int | None:
    """A time; none where records say 0."""
    return micros or None


def quantity_of(amount: int, scale: int, unit: str) -> Values:
    """Exact decimal text beside the number of steps, which can be added."""
    return {"quantity": decimal_text(amount, scale), "amount": amount, "scale": scale, "unit": unit}


def ratio_text(numerator: int, denominator: int) -> str:
    """`12`, `12.5` where that is exact, else `1/3`."""
    value = Fraction(numerator, denominator or 1)
    if value.denominator == 1:
        return str(value.numerator)
    scale = 0
    rest = value.denominator
    while rest % 10 == 0:
        rest, scale = rest // 10, scale + 1
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    decimals = scale + max(twos, fives)
    return f"{value.numerator}/{value.denominator}" if rest != 1 else decimal_text(int(value * 10**decimals), decimals)


def ranges_of(ranges: Sequence[RawRange], **more: Any) -> list[Values]:
    return [
        {
            **more,
            "range": number,
            "raw_source": one.raw_source,
            "first_offset": one.first,
            "last_offset": one.last,
            "records": one.records,
        }
        for number, one in enumerate(ranges, 1)
    ]


def decisions_of(decisions: Sequence[Decision]) -> list[Values]:
    """What people decided, once each."""
    return [
        {
            "event_id": one.event_id,
            "code": one.code,
            "decision": one.decision,
            "who": one.who,
            "why": one.why,
            "decided_at": at(one.at),
        }
        for one in {one.event_id: one for one in decisions}.values()
    ]
