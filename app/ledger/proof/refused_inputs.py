"""Inputs of a run of which more records were refused than the run allows: such a run is not exact, even if everything adds up."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from app.inputs.refused_share import beyond
from app.ledger.books.snapshot import Snapshot


@dataclass(slots=True, frozen=True)
class RefusedInput:
    name: str
    refused: int
    records: int
    code: str
    """The most frequent one."""


def refused_inputs(snapshot: Snapshot) -> list[RefusedInput]:
    """By name. A record counts once, however many of its events were refused. Live installations have no inputs."""
    at_most = Fraction(snapshot.about.get("refused_at_most", "1"))
    found: dict[str, dict[int, str]] = {}
    for letter in snapshot.letters:
        if letter.stage.startswith("intake"):
            found.setdefault(letter.raw_source, {}).setdefault(letter.raw_offset, letter.code)
    fed: dict[str, int] = snapshot.about.get("fed", {})
    return [
        RefusedInput(name, len(found[name]), records, Counter(found[name].values()).most_common(1)[0][0])
        for name, records in sorted(fed.items())
        if name in found and beyond(len(found[name]), records, at_most)
    ]
