"""What one counter counted, the slow way: walk its readings in the order of time, and look at all that was believed before.

By docs/counting.md, "From readings to pieces". Nothing of tables/equipment/counter.py is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

SECOND = 1_000_000


class Rule(NamedTuple):
    """As plant.yaml says it. `steps`: at most between two readings; `rate`: (steps, microseconds); None: not stated."""

    on_fall: str = "reset"
    modulus: int = 0
    """0: none is stated."""
    shows: str = "total"
    starts_at: int | None = None
    steps: int | None = None
    rate: tuple[int, int] | None = None
    dip_share: Fraction | None = None
    """Of what is shown; None: by the default."""
    consumption: bool = False
    absurd: int = 1000


class Piece(NamedTuple):
    at: int
    amount: int
    gap_from: int | None
    undecided: int | None = None
    """Since when nobody believes it; None: it is believed."""


class Stand(NamedTuple):
    """A count that is believed."""

    at: int
    seq: int
    value: int


class Doubt(NamedTuple):
    began: int
    shown: int
    held: int


def pieces(line: Sequence[tuple[int, int, int | None]], rule: Rule, decided: Mapping[int, str] = {}) -> Iterator[Piece]:
    """`line`: (time, number, what is shown) in the order of the truth; None: unavailable. `decided`: accept or discard, by the
    time at which something undecided began."""
    if rule.shows == "signal":
        yield from _signal(line)
        return
    sign = -1 if rule.shows == "remaining" else 1
    counter = _Counter(rule, decided)
    for at, seq, shown in line:
        yield from counter.reads(at, seq, None if shown is None else sign * shown)


def _signal(line: Sequence[tuple[int, int, int | None]]) -> Iterator[Piece]:
    before: tuple[int, bool] | None = None
    gone = False
    for at, _, shown in line:
        if shown is None:
            gone = True
            continue
        if before is not None and shown > 0 and not before[1]:
            yield Piece(at, 1, before[0] if gone else None)
        before, gone = (at, shown > 0), False


class _Counter:
    def __init__(self, rule: Rule, decided: Mapping[int, str]) -> None:
        self.rule, self.decided = rule, decided
        self.stand: Stand | None = None
        self.gone = False
        self.low: tuple[int, int] | None = None
        self.doubt: Doubt | None = None
        self.former: tuple[Stand, list[tuple[int, Fraction]], int] | None = None
        self.believed: list[tuple[int, Fraction]] = []
        """When, and how many: as far as a rate had room for them."""
        self.rises: list[tuple[int, int]] = []
        """How many, in which time (at least a second)."""

    # -- what can be believed

    def exact_room(self, at: int, believed: list[tuple[int, Fraction]]) -> Fraction:
        """Over every stretch of time from a reading until now: one period's worth and the rate times the time, less what came."""
        assert self.rule.rate is not None
        steps, per = self.rule.rate
        return min(
            max(steps, 1) + Fraction(steps * (at - since), per) - sum(amount for _, amount in believed[n + 1 :])
            for n, (since, _) in enumerate(believed)
        )

    def room(self, at: int, stand: Stand, believed: list[tuple[int, Fraction]]) -> int | None:
        found = [] if self.rule.steps is None else [self.rule.steps]
        if self.rule.rate is not None:
            found.append(int(self.exact_room(at, believed)))
        if found:
            return min(found)
        if self.rule.shows != "total" or not self.rises:
            return None
        most = max(amount for amount, _ in self.rises)
        fastest = min(took for amount, took in self.rises if amount == most)
        return max(self.rule.absurd, 100 * most * max(1, (at - stand.at) // fastest))

    def believe(self, at: int, amount: int, rose: bool) -> None:
        assert self.stand is not None
        if self.rule.rate is not None:
            self.believed.append((at, min(Fraction(amount), self.exact_room(at, self.believed))))
        if rose and amount:
            self.rises.append((amount, max(SECOND, at - self.stand.at)))

    def is_dip(self, old: int, new: int) -> bool:
        if new >= old:
            return False
        if self.rule.dip_share is not None:
            return old - new <= abs(old) * self.rule.dip_share
        if not self.rule.consumption:
            return False
        few = old - new <= 2
        return few if self.rule.shows == "remaining" else old - new <= Fraction(abs(old), 10) or (few and new >= Fraction(old, 2))

    def anew(self, old: int, new: int) -> tuple[int, bool]:
        """What a fall counts, and whether it says nothing about what was counted."""
        over = new + self.rule.modulus - old
        if self.rule.on_fall == "rollover" or (self.rule.modulus and over < self.rule.modulus // 10):
            return over, False
        if self.rule.shows == "remaining":
            return (0, True) if self.rule.starts_at is None else (max(0, self.rule.starts_at + new), False)
        return new, False

    def is_none(self, value: int) -> bool:
        """Less than nothing cannot have been counted; a meter may begin so."""
        may_be = self.rule.consumption and (self.stand is None or self.stand.value <= 0)
        return value < 0 and self.rule.shows == "total" and not self.rule.modulus and not may_be

    # -- one reading

    def reads(self, at: int, seq: int, value: int | None) -> Iterator[Piece]:
        stand = self.stand
        if stand is None:
            if value is not None and not self.is_none(value):
                self.stand = Stand(at, seq, value)
                self.believed = [(at, Fraction(0))]
        elif 0 <= seq < stand.seq and (value is None or value < stand.value):
            pass  # behind: the clock went back
        elif value is None or (self.is_none(value) and not self.is_dip(stand.value, value)):
            self.gone = True
        elif self.low is None:
            yield from self.compared(at, seq, value)
        elif value < self.low[1]:
            self.low = (at, value)
        elif value > self.low[1]:
            if value >= stand.value or self.is_dip(stand.value, value):
                self.low, self.gone = None, True
                yield from self.compared(at, seq, value)
            else:
                yield from self.began_anew(at, seq, value, self.low)

    def compared(self, at: int, seq: int, value: int) -> Iterator[Piece]:
        stand, doubt = self.stand, self.doubt
        assert stand is not None
        if value < stand.value:
            if self.is_dip(stand.value, value):
                yield from self.stands(at, seq, stand.value, stand.value)
            elif self.former is not None and self.is_former(at, value):
                yield from self.former_again(at, seq, value)
            elif doubt is not None and doubt.shown <= value:
                yield from self.doubted(at, seq, value, doubt.held + value - doubt.shown)
            elif self.rule.on_fall == "placeholder":
                self.low = (at, value)
            else:
                yield from self.began_anew(at, seq, value, (at, value))
            return
        room = self.room(at, stand, self.believed)
        fits = room is None or value - stand.value <= room
        goes_on_high = doubt is not None and doubt.shown >= stand.value and value >= doubt.shown
        if fits and not goes_on_high:
            yield from self.stands(at, seq, stand.value, value)
        else:
            yield from self.doubted(at, seq, value, value - stand.value)

    def stands(self, at: int, seq: int, old: int, value: int) -> Iterator[Piece]:
        """The count that stood goes on to `value`; what was doubted never was."""
        assert self.stand is not None
        gap = self.stand.at if self.gone or self.doubt is not None else None
        if self.doubt is not None:
            yield Piece(at, -self.doubt.held, None, self.doubt.began)
        self.believe(at, value - old, True)
        self.now(at, seq, value)
        if value > old:
            yield Piece(at, value - old, gap)

    def doubted(self, at: int, seq: int, value: int, held: int) -> Iterator[Piece]:
        assert self.stand is not None
        stand = self.stand
        began, before = (at, 0) if self.doubt is None else (self.doubt.began, self.doubt.held)
        self.low = None
        if began not in self.decided:
            self.doubt = Doubt(began, value, held)
            yield Piece(at, held - before, None, began)
            return
        gap = stand.at if self.gone else None
        accepted = self.decided[began] == "accept"
        former = (stand, list(self.believed), value)
        # A rate bounds the stretch from this reading on, too, when nothing was counted by it.
        self.believe(at, held if accepted else 0, accepted and value > stand.value)
        if accepted:
            yield Piece(at, held, gap)
        self.former = former if not accepted and value > stand.value else None
        self.now(at, seq, value)

    def is_former(self, at: int, value: int) -> bool:
        assert self.former is not None
        stand, believed, _ = self.former
        room = self.room(at, stand, believed)
        return self.is_dip(stand.value, value) or (value >= stand.value and (room is None or value - stand.value <= room))

    def former_again(self, at: int, seq: int, value: int) -> Iterator[Piece]:
        assert self.former is not None
        assert self.stand is not None
        stand, _, jumped_to = self.former
        value = max(value, stand.value)
        self.believe(at, 0, False)
        yield Piece(at, value - stand.value - (self.stand.value - jumped_to), stand.at)
        self.former = None
        self.now(at, seq, value)

    def began_anew(self, at: int, seq: int, value: int, low: tuple[int, int]) -> Iterator[Piece]:
        assert self.stand is not None
        first, unknown = self.anew(self.stand.value, low[1])
        whole = first + value - low[1]
        stated = self.rule.steps is not None or self.rule.rate is not None
        room = self.room(at, self.stand, self.believed) if stated else None
        if room is not None and whole > room and not unknown:
            yield from self.doubted(at, seq, value, whole)
            return
        gap = self.stand.at if low[0] == at and (self.gone or self.doubt is not None) else None
        self.believe(at, whole, False)
        self.former = None
        self.now(at, seq, value)
        yield Piece(low[0], first, gap)
        yield Piece(at, whole - first, gap)

    def now(self, at: int, seq: int, value: int) -> None:
        self.stand, self.gone, self.low, self.doubt = Stand(at, seq, value), False, None, None
