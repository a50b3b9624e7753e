"""The carry moves on between the days of an order, also when an older day is corrected."""

from typing import Any

from schemas.records import Quantity
from tests.unit.streams.ledger_bench import Ledger, component, released, total
from tests.unit.tables.floor_bench import at, configuration

RULES = {"post": [{"kind": "consumption", "when": "shift_end", "unit": "ROLL", "decimals": 0}]}


def made(day: int, count: int, version: int) -> Any:
    fields = {"business_date": f"2026-11-{day}", "source_key": f"M1|{day}", "first_at": at("07:00", day)}
    return total("gross", count, (1, version), at("07:00", 20), lot="", **fields)


def test_nine_rolls_of_twenty_days() -> None:
    """900 pieces a day, a roll for 2,000: no day uses a roll by itself."""
    film = component("FILM", "ledger_backflush", Quantity(1, 0, "ROLL"), base=2000)
    bench = Ledger(configuration(rules=RULES))
    bench.fold(released(at("05:00", 10), components=[film]))
    for n in range(1, 11):
        bench.fold(made(9 + n, 900, n))
    bench.tick(at("14:00", 20))
    assert sum(one.amount for one in bench.postings) == 5  # of 4.5 rolls
    bench.fold(made(10, 1200, 20))
    bench.tick(at("22:00", 20))
    assert sum(one.amount for one in bench.postings) == 5  # of 4.65
    bench.fold(made(10, 3100, 21))
    bench.tick(at("06:00", 21))
    assert sum(one.amount for one in bench.postings) == 6  # of 5.6
    bench.check_conservation()
