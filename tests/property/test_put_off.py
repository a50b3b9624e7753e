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


def rules(basis: str, often: str) -> dict[str, Any]:
    """`often`: a trigger of consumption; one of a quantity is that of BLUE alone, which nobody tells."""
    when = ["shift_end", *([often] if often.endswith("min") else [])]
    own = (
        [{"kind": "consumption", "material": "BLUE", "when": ["shift_end", often], "decimals": 6}] if often.endswith("kg") else []
    )
    return {
        "consumption": [{"component": "BLUE", "by": "ledger_backflush", "basis": basis}],
        "post": [
            {"kind": "yield", "when": ["shift_end", "order_completed", "operation_completed"]},
            {"kind": "scrap", "when": ["shift_end"]},
            {"kind": "consumption", "when": when, "decimals": 6},
            *own,
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
            if random.random() < 0.03 and counts[machine, "gross", ""] > 5 < counts[machine, "basis", lots[machine]]:
                made = covered = -5  # a run was corrected
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


BLUE = component("BLUE", "ledger_backflush", item="0020", position="H2")
FOLLOWING = {
    "nothing": [component(mode="metered", position="H1")],
    "component": [component(mode="metered", position="H1"), BLUE],
    "phantom": [
        component(mode="metered", position="H1", phantom=True),
        component("CH", "metered", item="0011", parent="0010"),
        BLUE,
    ],
}


def ledger(basis: str, often: str, known: bool, follows: str) -> Ledger:
    made = Ledger(configuration(rules=rules(basis, often)))
    parts = [replace(part, basis=basis) if part.material == "BLUE" else part for part in FOLLOWING[follows]]
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


@settings(max_examples=90)
@given(
    seed=st.integers(0, 1 << 30),
    ends=st.sets(st.integers(0, TICKS - 1), max_size=3),
    machines=st.sampled_from([("M1",), ("M1",), ("M1", "M2")]),
    basis=st.sampled_from(["gross", "gross", "yield"]),
    often=st.sampled_from(["", "every 15 min", "every 1 kg"]),
    known=st.sampled_from([True, True, True, True, False]),
    follows=st.sampled_from(list(FOLLOWING)),
)
def test_what_is_put_off_comes_out_the_same(
    seed: int, ends: set[int], machines: tuple[str, ...], basis: str, often: str, known: bool, follows: str
) -> None:
    same(history(Random(seed), machines), ends, basis, often, known, follows)


def same(told: list[list[Any]], ends: set[int], basis: str, often: str, known: bool, follows: str) -> None:
    each, some = ledger(basis, often, known, follows), ledger(basis, often, known, follows)
    with patch.object(PutOff, "take", return_value=False):  # the obvious slow way: each tick is served
        folded(each, told, set())
    folded(some, told, ends)
    for topic in (DELIVERY_INBOX, PRODUCTION_KPIS, ORDERS_STATE):
        assert some.step.take(topic) == each.step.take(topic)
    assert some.accounts() == each.accounts()


def test_a_tick_at_which_nothing_is_due_serves_no_account() -> None:
    made = ledger("gross", "", True, "nothing")
    folded(made, [[_total("M1", "gross", "", n + 1, n + 1, BEGIN + n * MINUTE), BEGIN + n * MINUTE] for n in range(1, 31)], set())
    told = [record.numerator for record in made.step.take(PRODUCTION_TOTALS) if record.kind == "yield"]
    assert told == [2, 10, 11, 12, 31]  # the full hour is at 11, and its figures are news at 12


def counts(kinds: Sequence[str], *shown: int, first: int = 10) -> list[list[Any]]:
    """What M1 tells at each minute from 13:00 + `first` - 9 on: the same count of each kind."""
    told = []
    for number, count in enumerate(shown, 1):
        now = BEGIN + (first + number) * MINUTE
        lots = {"gross": "", "basis": "B1", "consumption": "R1"}
        told.append([*(_total("M1", kind, lots[kind], count, number, now) for kind in kinds), now])
    return told


def test_a_quantity_that_makes_derived_consumption_due_is_not_put_off() -> None:
    """Nobody tells BLUE: its own rule decides, 0.1 kg a piece."""
    same(counts(["gross", "basis"], 1, 3, 5, 7, 9, 11, 13, 15, 17), {0}, "gross", "every 1 kg", True, "component")


def test_what_fell_and_grew_again_has_the_records_of_both() -> None:
    same(counts(["gross", "basis"], 10, 11, 6, 11), {0, 1}, "gross", "", True, "component")


def test_children_of_a_phantom_wait_since_their_first_quantity() -> None:
    begins = counts(["gross", "consumption"], 1000)
    told = counts(["consumption"], *[1000] * 14, 2000, 3000, 4000, first=11)
    same([*begins, *told, *([BEGIN + (n + 29) * MINUTE] for n in range(20))], {0, 14}, "gross", "every 15 min", True, "phantom")
