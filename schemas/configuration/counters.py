"""A counter of an equipment: what it counts, how its values are read, and what cannot be true of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import floor, gcd
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schemas.configuration.values import Duration, OneOrMany, Section, Whole, duration_us

MAX_LEVEL = 2**62
_AT_MOST = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*/\s*(reading|(?:\d{1,9}\s*)?(?:ms|s|min|h|d))")
_DIP = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*(%?)")
DIP_SHARE, DIP_STEPS = Fraction(1, 10), 2
"""Unless `dip` says otherwise, a meter that falls by a tenth of its value, or by two steps while half of it is left, did not
start anew."""
ABSURD_UNITS, ABSURD_TIMES = 1000, 100
"""Unless `at_most` says otherwise, a jump by more than so many units that is more than so many times the largest step before."""


@dataclass(slots=True, frozen=True)
class Bounds:
    """What a counter can do at most, in its own steps: `step` between two readings; and, as a bucket that runs empty,
    `burst` at once and `rate` more every `per` microseconds. None: no such bound."""

    step: int | None = None
    burst: int | None = None
    rate: int = 0
    per: int = 1


def at_most_of(text: str) -> tuple[Fraction, int]:
    """`40 / min` as (40, microseconds of a minute), `5 / reading` as (5, 0). Raises ValueError."""
    match = _AT_MOST.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text}` is no bound of a counter; write one like `40 / min`, `2.5 / 10 s` or `5 / reading`")
    amount, per = Fraction(match[1]), match[2]
    if not amount:
        raise ValueError(f"`{text}`: a counter that can do nothing counts nothing; make it an indicator")
    if per == "reading":
        return amount, 0
    micros = duration_us(per if per[0].isdigit() else f"1 {per}")
    if not micros:
        raise ValueError(f"`{text}`: no time at all")
    return amount, micros


def _at_most(text: str) -> str:
    at_most_of(text)
    return text


def _dip(text: str) -> str:
    if text and not _DIP.fullmatch(text.strip()):
        raise ValueError(f"`{text}` is no dip; write a share like `10 %` or a quantity in the counter's unit like `0.3`")
    return text


class Counter(Section):
    """A count of one equipment: a total that grows, what is left of something, what each record adds, or an on/off signal."""

    counts: Literal["gross", "good", "scrap", "rework", "consumption", "indicator"] = "gross"
    of: str = ""
    """For consumption: `loaded_lot` (what is loaded at `position`) or the material's number."""
    position: str = ""
    """Where the consumed lot is loaded; empty: the equipment has one position only."""
    shows: Literal["total", "increment", "remaining", "signal"] = "total"
    """What a value is: the count so far; the pieces since the record before (a log with one row per shot); what is left, so that
    each piece lowers it; or 0 and 1 of a signal that is polled, of which each rise is one."""
    on_fall: Literal["reset", "placeholder", "rollover"] = "reset"
    modulus: Annotated[Whole, Field(gt=0)] | None = None
    """A roll-over continues at 0 after modulus - 1. In the counter's own steps."""
    starts_at: Annotated[Whole, Field(ge=0)] | None = None
    """Of `remaining`: the value that it is set to when it begins anew. None: the first reading after it is a baseline."""
    at_most: Annotated[list[Annotated[str, AfterValidator(_at_most)]], OneOrMany] = Field(default_factory=list)
    """`40 / min`, `5 / reading`: more is not believed before somebody decides. Empty: only absurd jumps are not."""
    dip: Annotated[str, AfterValidator(_dip)] = ""
    """A fall by at most this (`10 %`, or a quantity) is no new start. Empty: DIP_SHARE and DIP_STEPS for consumption, else 0."""
    hold_undecided: Duration = 900_000_000
    """What stays undecided this long raises an alert; time never decides."""
    decimals: Annotated[Whole, Field(ge=0, le=9)] = 0
    unit: str = "PC"

    @model_validator(mode="after")
    def _consistent(self) -> Counter:
        if self.on_fall == "rollover" and self.modulus is None:
            raise ValueError("`on_fall: rollover` needs `modulus`")
        if self.shows in ("increment", "signal"):
            if self.on_fall != "reset" or self.modulus is not None:
                raise ValueError(f"`on_fall` and `modulus` belong to a counter that shows a total; {_AN[self.shows]} never falls")
            if self.at_most or self.dip:
                raise ValueError(f"`at_most` and `dip` belong to a counter that shows a total, not to {_AN[self.shows]}")
        if self.starts_at is not None and self.shows != "remaining":
            raise ValueError("`starts_at` belongs to `shows: remaining`")
        if self.counts == "consumption" and not self.of:
            raise ValueError("a consumption counter needs `of: loaded_lot` or `of: <material>`")
        if self.counts != "consumption" and (self.of or self.position):
            raise ValueError("`of` and `position` belong to `counts: consumption`")
        if len(self.at_most) > len({bool(at_most_of(text)[1]) for text in self.at_most}):
            raise ValueError(
                f"`at_most: {self.at_most}` has more than one bound of a kind; write one rate, one per reading, or both"
            )
        bounds = self.bounds
        if bounds.burst is not None and (bounds.burst + 1) * bounds.per >= MAX_LEVEL:
            raise ValueError(f"`at_most: {self.at_most}` is too fine to be counted exactly; write fewer digits or a shorter time")
        return self

    @cached_property
    def bounds(self) -> Bounds:
        """`at_most` in steps."""
        step: int | None = None
        burst, rate, per = None, 0, 1
        for text in self.at_most:
            amount, micros = at_most_of(text)
            steps = amount * 10**self.decimals
            if not micros:
                step = floor(steps)
                continue
            numerator, denominator = steps.numerator, steps.denominator * micros
            common = gcd(numerator, denominator)
            rate, per = numerator // common, denominator // common
            burst = max(floor(steps), 10**self.decimals)
        return Bounds(step, burst, rate, per)

    @cached_property
    def judges(self) -> bool:
        """Is there anything that it cannot have done?"""
        return self.counts != "indicator" and (bool(self.at_most) or self.shows == "total")

    @cached_property
    def absurd(self) -> int:
        """Steps up to which no jump is absurd."""
        return int(ABSURD_UNITS * 10**self.decimals)

    @cached_property
    def _dip_bound(self) -> tuple[Fraction, int]:
        """Share and steps."""
        match = _DIP.fullmatch(self.dip.strip()) if self.dip else None
        if match is None:
            return Fraction(0), 0
        if match[2]:
            return Fraction(match[1]) / 100, 0
        return Fraction(0), floor(Fraction(match[1]) * 10**self.decimals)

    def dips(self, old: int, new: int) -> bool:
        """Is the fall from `old` to `new` (counted upwards) too small to be a new start?"""
        fall, shown = old - new, abs(old)
        if self.dip:
            share, steps = self._dip_bound
            return fall <= steps or fall * share.denominator <= shown * share.numerator
        if self.counts != "consumption":
            return False
        if self.shows == "remaining":
            return fall <= DIP_STEPS
        return fall * DIP_SHARE.denominator <= shown * DIP_SHARE.numerator or (fall <= DIP_STEPS and 2 * new >= old)


_AN = {"increment": "an increment", "signal": "a signal"}
