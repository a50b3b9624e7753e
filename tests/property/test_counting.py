"""The vectorised ways against the definition: the same points in, the same shares and the same state out."""

import random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Excursion, FormerCount, OperatorDecision, PointState, TimelineRow
from tables.equipment.attribution import Ownership
from tables.equipment.counter import UNAVAILABLE
from tables.equipment.counting import Counting
from tables.equipment.equipment import EquipmentFold
from tables.equipment.packed_readings import RAW_BITS, pack, unpack
from tables.equipment.reading_buckets import Bucket
from tables.plant.calendar import calendar_of
from tests.property.shop_floor import BEGIN, shops
from tests.unit.tables.floor_bench import MACHINE, S, configuration, frame, machine

NUMBERS = st.one_of(st.integers(-3, 3), st.integers(0, 2**40), st.integers(-(2**63), 2**63 - 1))
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 2**62)), max_size=60)
STEPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1_000, 999_983, 1_000_000]), st.integers(-1, 2)), max_size=200)


@given(ROWS)
def test_any_numbers_come_back_from_their_packing(rows: list[tuple[int, int, int, int]]) -> None:
    points = np.array(rows, np.int64).reshape(-1, 4)
    assert (unpack(pack(points)) == points).all()


@given(STEPS, st.integers(1, 4), st.lists(st.integers(0, 199), max_size=5))
def test_readings_come_back_from_their_packing(steps: list[tuple[int, int, int]], sources: int, far: list[int]) -> None:
    points = np.cumsum([(step[1], step[0], step[2], 7) for step in steps] or [(0, 0, 0, 0)], axis=0).astype(np.int64)
    points[:, 3] |= (np.arange(len(points)) % sources) << RAW_BITS
    for index in far:
        points[index % len(points), 3] += 1_000_000
    assert (unpack(pack(points)) == points).all()


def tell(equipment: EquipmentFold, event: Any) -> None:
    if isinstance(event, OperatorDecision):
        equipment.decided(event)
    else:
        equipment.run_event(event)


VALUES = st.one_of(st.integers(-1, 3), st.just(100), st.just(9_000), st.just(UNAVAILABLE))
ENTRIES = st.sampled_from(
    [
        PointState(),
        PointState(0, seq=4),
        PointState(2),
        PointState(2, low=0, low_at=5),
        PointState(1, broken_at=BEGIN - S),
        PointState(1, at=BEGIN - S, level=70, most=2, most_us=S),
        PointState(1, at=BEGIN - S, most=1, most_us=3 * S, former=FormerCount(0, BEGIN - 9 * S, 0, 1)),
        PointState(1, at=BEGIN - S, most=1, most_us=3 * S, excursion=Excursion(BEGIN - S, 9_000, 8_999)),
    ]
)


@given(
    shops(any_order=True),
    st.lists(st.tuples(st.integers(0, 600 * S - 1), VALUES), min_size=1, max_size=40),
    ENTRIES,
    st.booleans(),
    st.sampled_from([{}, {}, {"shows": "increment"}, {"shows": "signal"}]),
    st.sampled_from(["gross", "good", "indicator"]),
)
def test_a_bucket_counted_in_one_stroke(
    shop: Any, at: list[Any], entry: PointState, rising: bool, shows: dict[str, str], counts: str
) -> None:
    values = [value for _, value in at]
    points = [
        (BEGIN + moment, 10 + n, value, n % 2 << RAW_BITS | n)
        for n, (moment, value) in enumerate(
            zip(sorted(moment for moment, _ in at), sorted(values) if rising else values, strict=True)
        )
    ]
    counter: dict[str, Any] = {**(shows or shop.counter), "counts": counts}
    plant = {"equipment": {"*": {"counters": {"shots": counter}}}}
    equipment = machine(plant)
    for event in shop.events:
        tell(equipment, event)
    config = configuration(plant).plant
    found = config.counter_for(MACHINE, "shots")
    assert found is not None
    counting = Counting("shots", found, Ownership(equipment.row, calendar_of(config), config.attribution))
    bucket = Bucket(0, TimelineRow(entry, PointState(), ["a", "b"]))
    bucket.append(np.array(points, np.int64))
    assert counting.count(bucket) == counting.count_by_definition(bucket)


def arrivals_of(rng: random.Random, numbered: bool, dirty: float, late: float, repeats: int) -> list[tuple[int, int, int | None]]:
    """Up to 300 readings, mostly rising, as they arrive: a share late, some again, with the same value or another."""
    moment, count, found = BEGIN, 1000, list[tuple[int, int, int | None]]()
    for n in range(rng.randint(30, 300)):
        moment += rng.choice((1, 1, 1, 2, 90)) * S
        count = rng.choice((0, 5, count // 2, count + 9_000, count - 1)) if rng.random() < dirty else count + rng.randint(0, 3)
        found.append((n if numbered else -1, moment, None if rng.random() < dirty / 2 else count))
    delays = [rng.choice((2, 40, 900, 7200)) * S if rng.random() < late else 0 for _ in found]
    arrivals = [one for _, one in sorted(zip(delays, found, strict=True), key=lambda pair: pair[0] + pair[1][1])]
    for _ in range(repeats):
        seq, at, value = rng.choice(arrivals)
        again = value if rng.random() < 0.5 or not numbered else 7
        arrivals.insert(rng.randint(0, len(arrivals)), (seq, at, again))
    return arrivals


@given(
    shops(any_order=True),
    st.integers(0, 2**32),
    st.booleans(),
    st.sampled_from([0.0, 0.0, 0.02, 0.2]),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.integers(0, 4),
)
def test_readings_taken_in_one_stroke(shop: Any, seed: int, numbered: bool, dirty: float, late: float, repeats: int) -> None:
    """The same arrivals in frames of any size, and one by one: the same rows, totals, tally and refusals."""
    rng = random.Random(seed)
    arrivals = arrivals_of(rng, numbered, dirty, late, repeats)
    sizes = [rng.choice((1, 24, 40, 100, 400)) for _ in range(3)]
    results = []
    for how in ("in frames", "one by one", "restarting"):
        plant = {"equipment": {"*": {"counters": {"shots": shop.counter}}}}
        equipment = machine(plant)
        for event in shop.events:
            tell(equipment, event)
        start, turn, refused = 0, 0, list[int]()
        while start < len(arrivals):
            size = 1 if how == "one by one" else sizes[turn % len(sizes)]
            part = frame(*arrivals[start : start + size], first_raw=start)
            refused += [start + index for one in equipment.readings("shots", part, "raw.p/0") for index in one.indexes]
            start, turn = start + size, turn + 1
            if how == "restarting":
                equipment.put()
                equipment = machine(plant, equipment._rows)  # another process goes on with its rows
        equipment.put()
        rows = {
            key: Bucket(0, row).pack(whole=True) if isinstance(row, TimelineRow) else row
            for key, row in equipment._rows.scan("")  # type: ignore[attr-defined]
        }
        results.append((equipment.row, rows, sorted(refused)))
    assert results[0] == results[1]
    assert results[2] == results[1]
