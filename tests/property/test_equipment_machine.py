"""The equipment stage against a slow model that keeps and sorts everything: after every tick the ledger holds the same
totals, whatever the order of arrival, the duplicates and the grouping into frames and batches."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import ScrapDeclared
from tables.equipment.destination import Destination
from tests.property.equipment_model import Key, Reading, pieces, totals
from tests.property.shop_floor import BEGIN, Shop, shops
from tests.unit.streams.floor_stage import Floor, framed
from tests.unit.tables.floor_bench import MIN, S, configuration, on_machine
from tests.unit.tables.floor_bench import pieces as quantity

GRACE = 5 * MIN
BATCH = "end of batch"
TICK = "tick"


def floor(shop: Shop) -> Floor:
    counters = {"shots": shop.counter}
    return Floor(configuration({"equipment": {"*": {"counters": counters}}, "attribution": {"run_grace": "5 min"}}))


def held(bench: Floor) -> dict[Key, int]:
    """What orders would hold, and the equipment's own unattributed account."""
    found: dict[Key, int] = {}
    for one in bench.known.values():
        key = (one.run, one.order, one.material, one.kind, one.component_lot, one.business_date, one.reason)
        found[key] = found.get(key, 0) + one.numerator
    row = bench.row()
    for text, total in row.totals.items() if row is not None else ():
        to = Destination.parse(text)
        if to.kind in ("unattributed", "undecided"):
            key = ("", "", "", to.kind, "", to.business_date, to.reason)
            found[key] = found.get(key, 0) + total.amount
    return {key: amount for key, amount in found.items() if amount}


def play(bench: Floor, arrivals: list[Any], sizes: list[int], check: Any = None) -> None:
    """Fold arrivals: readings that follow each other leave in frames of these sizes. `check` is asked after every tick."""
    now, batch, pending, raw, turn = BEGIN, list[Any](), list[Reading](), 0, 0

    def flush() -> None:
        nonlocal pending, raw
        if pending:
            batch.append(framed(pending, now + MIN, first_raw=raw))
            raw, pending = raw + len(pending), []

    for n, item in enumerate(arrivals):
        if isinstance(item, Reading):
            pending.append(item)
            turn += 1
            if len(pending) >= sizes[turn % len(sizes)]:
                flush()
            continue
        flush()
        if item == BATCH:
            bench.fold(*batch)
            batch = []
        elif item == TICK:
            now += MIN
            bench.fold(*batch, bench.upstream_tick(now))
            batch = []
            bench.published()
            if check is not None:
                check(arrivals[:n])
        else:
            item.label = now + MIN
            batch.append(item)


def expected(shop: Shop, arrived: list[Any]) -> dict[Key, int]:
    readings = [item for item in arrived if isinstance(item, Reading)]
    events = [item for item in arrived if not isinstance(item, Reading | str)]
    return totals(readings, events, shop.rule, GRACE)


def mixed(shop: Shop, rng: random.Random, any_order: bool, duplicates: int) -> list[Any]:
    """An order of arrival: events anywhere; readings in order, or anywhere as well; some of either once more."""
    readings: list[Any] = list(shop.readings)
    if any_order:
        rng.shuffle(readings)
    everything: list[Any] = readings
    for event in shop.events:
        everything.insert(rng.randint(0, len(everything)), event)
    for _ in range(duplicates if everything else 0):
        n = rng.randrange(len(everything))
        again = everything[n]
        if isinstance(again, Reading) and again.seq >= 0 and rng.randint(0, 1):
            # The same number with another count: the first one to arrive stays.
            again = again._replace(value=rng.randint(0, 2000))
        everything.insert(rng.randint(n + 1, len(everything)), again)
    for marker in [TICK] * 3 + [BATCH] * 3:
        everything.insert(rng.randint(0, len(everything)), marker)
    return [*everything, TICK]


RNG = st.randoms(use_true_random=False)
SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=3)


@given(shops(any_order=True), RNG, st.integers(0, 6), SIZES)
def test_any_order_of_arrival_gives_the_totals_of_the_truth(
    shop: Shop, rng: random.Random, duplicates: int, sizes: list[int]
) -> None:
    bench = floor(shop)

    def check(arrived: list[Any]) -> None:
        assert held(bench) == expected(shop, arrived)

    play(bench, mixed(shop, rng, True, duplicates), sizes, check)


@given(shops(any_order=False), RNG, SIZES)
def test_readings_in_order_may_do_anything(shop: Shop, rng: random.Random, sizes: list[int]) -> None:
    """Placeholders, disconnects and the same count again, with runs that arrive whenever they want."""
    bench = floor(shop)

    def check(arrived: list[Any]) -> None:
        assert held(bench) == expected(shop, arrived)

    play(bench, mixed(shop, rng, False, 0), sizes, check)


@given(shops(any_order=True), RNG, RNG, SIZES, SIZES)
def test_two_orders_of_arrival_end_in_the_same_ledger(
    shop: Shop, one: random.Random, other: random.Random, sizes: list[int], others: list[int]
) -> None:
    first, second = floor(shop), floor(shop)
    play(first, mixed(shop, one, True, 3), sizes)
    play(second, mixed(shop, other, True, 3), others)
    assert held(first) == held(second)


@given(shops(any_order=False), RNG, SIZES, SIZES, st.integers(0, 30))
def test_grouping_and_restarts_change_nothing_that_goes_out(
    shop: Shop, rng: random.Random, sizes: list[int], others: list[int], restart: int
) -> None:
    """The same log in other frames, batches and processes: the same totals, with the same lineage, at each tick."""
    log = [item for item in mixed(shop, rng, False, 4) if item != BATCH]

    def ticks(bench: Floor, arrivals: list[Any], sizes: list[int], restart_at: int) -> list[dict[Any, Any]]:
        seen: list[dict[Any, Any]] = []

        def note(_: list[Any]) -> None:
            seen.append({key: (one.numerator, one.records, one.ranges) for key, one in bench.known.items() if one.numerator})
            if len(seen) == restart_at:
                bench.restart()

        play(bench, arrivals, sizes, note)
        return seen

    more = list(log)
    for _ in range(5):
        more.insert(rng.randint(0, len(more) - 1), BATCH)
    assert ticks(floor(shop), log, sizes, 0) == ticks(floor(shop), more, others, 1 + restart % 4)


@given(shops(any_order=True), RNG, st.lists(st.tuples(st.integers(0, 4 * 3600), st.integers(-3, 9)), max_size=5))
def test_counted_and_declared_is_attributed_or_unattributed(shop: Shop, rng: random.Random, scrap: list[tuple[int, int]]) -> None:
    """Sums alone, without any rule of attribution: nothing appears and nothing disappears."""
    for event in shop.events:
        for output in getattr(event, "outputs", [])[1:]:
            event.outputs.remove(output)
        for output in getattr(event, "outputs", []):
            output.factor = 1
    declared = [on_machine(ScrapDeclared, BEGIN + seconds * S, quantity=quantity(amount)) for seconds, amount in scrap]
    bench = floor(shop)

    def check(arrived: list[Any]) -> None:
        readings = [item for item in arrived if isinstance(item, Reading)]
        ids = {item.event_id: item.quantity.amount for item in arrived if isinstance(item, ScrapDeclared)}
        sums = {"gross": 0, "scrap": 0, "undecided": 0}
        row = bench.row()
        for text, total in row.totals.items() if row is not None else ():
            to = Destination.parse(text)
            if to.kind != "basis":
                sums[to.reason if to.kind == "unattributed" else to.kind] += total.amount
        counted = list(pieces(readings, shop.rule, [item for item in arrived if not isinstance(item, Reading | str)]))
        assert sums == {
            "gross": sum(piece.amount for piece in counted if piece.undecided is None),
            "undecided": sum(piece.amount for piece in counted if piece.undecided is not None),
            "scrap": sum(ids.values()),
        }

    shop.events += declared
    play(bench, mixed(shop, rng, True, 5), [rng.randint(1, 9)], check)
