"""How dirty a plant is. `clean`: everything that plants make, told in time. `nasty`: all of it wrong at once."""

from dataclasses import dataclass
from typing import Literal

Name = Literal["clean", "default", "nasty"]
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares are probabilities per run, shot or record; durations are milliseconds."""

    name: Name
    hours: int
    """How long the plant is watched."""
    cycle_ms: tuple[int, int]
    zones: tuple[tuple[str, str], ...]
    """(IANA zone, local date and time at which the watch begins)."""
    told_wrong: float = 0.0
    """Runs that people tell wrongly and correct later."""
    late_runs: float = 0.0
    late_records: float = 0.0
    """Readings, states and loads that come after later ones."""
    latest_ms: int = 0
    """How late they may be."""
    again: float = 0.0
    """Records that come a second time."""
    conflicts: int = 0
    """Readings under a known sequence number with another value, per counter."""
    falls: int = 0
    """Resets, placeholder zeros and lost connections per counter."""
    clock_steps: bool = False
    late_people_ms: int = 5 * MINUTE
    reversals: float = 0.0
    nameless: float = 0.0
    """Declarations that leave out what can be found out."""


PROFILES: dict[Name, Profile] = {
    "clean": Profile("clean", 18, (100_000, 200_000), (("UTC", "2026-11-19T05:00"), ("Asia/Ho_Chi_Minh", "2026-11-19T13:00"))),
    "default": Profile(
        "default",
        30,
        (120_000, 240_000),
        (("Asia/Ho_Chi_Minh", "2026-11-19T05:30"), ("Europe/Prague", "2026-11-19T05:30")),
        told_wrong=0.25,
        late_runs=0.2,
        late_records=0.03,
        latest_ms=4 * HOUR,
        again=0.03,
        conflicts=1,
        falls=2,
        late_people_ms=12 * HOUR,
        reversals=0.1,
        nameless=0.3,
    ),
    "nasty": Profile(
        "nasty",
        50,
        (150_000, 330_000),
        (
            ("Europe/Prague", "2026-10-24T13:00"),
            ("Europe/Prague", "2027-03-27T13:00"),
            ("Asia/Ho_Chi_Minh", "2026-12-30T21:00"),
        ),
        told_wrong=0.6,
        late_runs=0.4,
        late_records=0.12,
        latest_ms=90 * HOUR,
        again=0.1,
        conflicts=4,
        falls=6,
        clock_steps=True,
        late_people_ms=48 * HOUR,
        reversals=0.25,
        nameless=0.6,
    ),
}
