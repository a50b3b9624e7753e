"""Dirty plants from a seed: what truly happened, added up; and, apart from it, the records that a plant would have of it."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.plants import configuration, floor, people, records, truth
from tests.plants.profiles import PROFILES, Name
from tests.plants.truth import Truth


@dataclass(frozen=True, slots=True)
class DirtyPlant:
    config: Path
    files: dict[str, Path]
    """Source -> file."""
    records: int
    truth: Truth
    begin_us: int
    """When the watch begins."""


def generate(folder: Path, seed: int, name: Name) -> DirtyPlant:
    """The plant of this seed and profile, written below `folder`. The same arguments, the same bytes."""
    profile = PROFILES[name]
    chance = Random(f"{name}/{seed}")
    happened = floor.build(profile, chance)
    facts = people.work(happened, profile, chance)
    found, counters = records.lines(happened, facts, profile, chance)
    folder.mkdir(parents=True, exist_ok=True)
    config = configuration.write(happened, counters, folder / "config")
    return DirtyPlant(config, records.write(found, folder), len(found), truth.tell(happened, facts), happened.begin * 1000)
