"""Totals that are put off come out as if each tick had been served by itself: the same postings to the last field, the same
accounts, wherever a fold begins and ends."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import OrderCompleted, RawRange, Tick
from schemas.topics import DELIVERY_INBOX, ORDERS_STATE, PRODUCTION_KPIS, PRODUCTION_TOTALS
from streams.orders.put_off import PutOff
from tests.unit.streams.ledger_bench import Ledger, component, item, released, total
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration, event

MINUTE = HOUR // 60
BEGIN, TICKS = at("12:50"), 80
"""A full hour after 10 of them, a cut after 70."""


def rules(basis: str, interval: bool) -> dict[str, Any]:
    when = ["shift_end", *(["every 15 min"] if interval else [])]
    return {
        "consumption": [{"component": "BLUE", "by": "ledger_backflush", "basis": basis}],
        "post": [
            {"kind": "yield", "when": ["shift_end", "order_completed", "operation_completed"]},
            {"kind": "scrap", "when": ["shift_end"]},
            {"kind": "consumption", "when": when, "decimals": 6},
        ],
    }


def history(random: Random, machines: Sequence[str]) -> list[list[Any]]:
    """What is told before each of 80 ticks of a minute: machines with a loaded lot each make pieces of one order."""
    counts: Counter[tuple[str, str, str]] = Counter()
    lots = dict.fromkeys(machines, "B1")
    told: list[list[Any]] = []
    version = 0
    for minute in range(TICKS):
        now, records = BEGIN + (minute + 1) * MINUTE, list[Any]()
        for machine in machines:
            if random.random() < 0.05:
                lots[machine] = random.choice(["B1", "B2", ""])
            made = random.choice([1, 1, 1, 2, 0]) if machine == machines[0] else random.choice([1, 1, 0])
            covered = made if random.random() < 0.96 else random.choice([0, 1, 2])
            again = random.random() < 0.05
            for kind, lot, steps in (("gross", "", made), ("basis", lots[machine], covered), ("consumption", "R1", 7 * made)):
                name = (machine, kind, lot)
                if (steps or (again and name in counts)) and (kind, lot) != ("basis", ""):
                    counts[name] += steps
                    version += 1
                    records.append(_total(machine, kind, lot, counts[name], version, now))
        if random.random() < 0.03:
            version += 1
            counts["M1", "scrap", ""] += 1
            records.append(_total("M1", "scrap", "", counts["M1", "scrap", ""], version, now))
        if random.random() < 0.01:
            records.append(event(OrderCompleted, now, now, order="O1", operation=random.choice(["", "10"])))
        told.append([*records, now])
    return told


def _total(machine: str, kind: str, lot: str, count: int, version: int, label: int) -> Any:
    fields: dict[str, Any] = {"equipment": machine, "source_key": f"{machine}|{kind}|{lot}", "records": count}
    fields |= {"first_at": BEGIN, "last_at": label, "ranges": [RawRange("raw.p/0", 1, version, count)]}
    if kind == "basis":
        fields |= {"component_material": "BLUE", "component_lot": lot, "position": "H2"}
    if kind == "consumption":
        fields |= {"unit": "g", "material": "PP", "lot": lot, "position": "H1"}
    return total(kind, count, (1, version), label, **fields)


def ledger(basis: str, interval: bool, known: bool, follows: bool) -> Ledger:
    made = Ledger(configuration(rules=rules(basis, interval)))
    blue = component("BLUE", "ledger_backflush", item="0020", position="H2", basis=basis)
    parts = [component(mode="metered", position="H1"), *([blue] if follows else [])]
    order = [released(BEGIN, items=[item(over_delivery="unlimited")], components=parts)]
    made.fold(*(order if known else ()))
    made.tick(BEGIN)
    return made


def folded(made: Ledger, told: list[list[Any]], ends: set[int]) -> None:
    """`ends`: ticks behind which a fold ends."""
    waiting: list[Any] = []
    for index, (*records, now) in enumerate(told):
        waiting += [replace(record, ranges=[replace(one) for one in record.ranges]) if hasattr(record, "ranges") else record
                    for record in records]  # fmt: skip
        waiting += [Tick(PLANT, now, name) for name in made.topology.upstreams("orders", made.configurations[0])]
        if index in ends:
            made.fold(*waiting)
            waiting = []
    made.fold(*waiting)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1 << 30),
    ends=st.sets(st.integers(0, TICKS - 1), max_size=3),
    machines=st.sampled_from([("M1",), ("M1",), ("M1", "M2")]),
    basis=st.sampled_from(["gross", "gross", "yield"]),
    interval=st.booleans(),
    known=st.sampled_from([True, True, True, True, False]),
    follows=st.booleans(),
)
def test_what_is_put_off_comes_out_the_same(
    seed: int, ends: set[int], machines: tuple[str, ...], basis: str, interval: bool, known: bool, follows: bool
) -> None:
    told = history(Random(seed), machines)
    each, some = ledger(basis, interval, known, follows), ledger(basis, interval, known, follows)
    with patch.object(PutOff, "take", return_value=False):  # the obvious slow way: each tick is served
        folded(each, told, set())
    folded(some, told, ends)
    for topic in (DELIVERY_INBOX, PRODUCTION_KPIS, ORDERS_STATE):
        assert some.step.take(topic) == each.step.take(topic)
    assert some.accounts() == each.accounts()


def test_a_tick_at_which_nothing_is_due_serves_no_account() -> None:
    made = ledger("gross", False, True, False)
    folded(made, [[_total("M1", "gross", "", n + 1, n + 1, BEGIN + n * MINUTE), BEGIN + n * MINUTE] for n in range(1, 31)], set())
    told = [record.numerator for record in made.step.take(PRODUCTION_TOTALS) if record.kind == "yield"]
    assert told == [2, 10, 11, 12, 31]  # the full hour is at 11, and its figures are news at 12
