"""Falls and jumps of a counter within a bucket: the tally of the equipment, and what the report names one by one."""

from collections.abc import Iterable

from schemas.records import CountFall, EquipmentRow
from tables.equipment.counter import Fall

NAMED = frozenset({"reset", "rollover", "baseline", "spike", "jump", "below_zero"})
"""Those that somebody may want to look at. Of the others it is enough to know how many there were."""
MAX_NAMED = 20
"""Of one kind in a bucket; those beyond are added up in the last one."""
MAX_KEPT = 20
"""Of a counter, of buckets that are forgotten."""
TALLY = {
    "reset": "resets",
    "rollover": "rollovers",
    "placeholder": "placeholders",
    "undecided": "undecided",
    "stepped_back": "stepped_back",
    "dip": "dips",
    "baseline": "baselines",
    "jump": "jumps",
    "spike": "spikes",
    "below_zero": "below_zero",
}
"""Name in the row's tally of what a fall was."""


def note(found: list[CountFall], fall: Fall) -> None:
    """Add a fall to those of its bucket."""
    same = [known for known in found if known.was == fall.was]
    if len(same) < (MAX_NAMED if fall.was in NAMED else 1):
        found.append(CountFall(fall.at, fall.was, fall.pieces))
    else:
        same[-1].times += 1
        same[-1].pieces += fall.pieces


def copy(fall: CountFall) -> CountFall:
    return CountFall(fall.at, fall.was, fall.pieces, fall.times)


def tally(row: EquipmentRow, old: Iterable[CountFall], new: Iterable[CountFall]) -> None:
    """The row's tally, once `new` stands for `old`."""
    for sign, found in ((-1, old), (1, new)):
        for fall in found:
            name = TALLY[fall.was]
            row.tally[name] = row.tally.get(name, 0) + sign * fall.times
            if not row.tally[name]:
                del row.tally[name]


def kept(known: list[CountFall], forgotten: Iterable[CountFall]) -> list[CountFall]:
    """What a counter keeps when a bucket is forgotten: the last ones that are named."""
    return [*known, *(fall for fall in forgotten if fall.was in NAMED)][-MAX_KEPT:]
