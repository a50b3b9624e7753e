"""Live trace through configurations that change while it runs: what each tick told is what the records say, by the log."""

import json
import random
from typing import Any

import pytest

from app.ledger.books.log_index import Intakes, LogIndex, LogSelection, index_equipment
from app.ledger.books.rereading import Remapping, Reread, RereadEvent, reread_by_log
from app.ledger.proof.readdition import ReAddition
from app.ledger.proof.recount import recount
from schemas.configuration import Configuration
from schemas.records import Tick, Total
from streams.equipment.totals import total_record
from streams.mapping import RawRecord
from streams.silence import watch
from tables.equipment.destination import UNATTRIBUTED, UNDECIDED
from tables.equipment.own_clock import DAY_US
from tables.plant.calendar import calendar_of
from tables.row_kinds import ACCOUNT_ROWS
from tests.unit.streams.live_plant import CODEC, LivePlant, live_configuration
from tests.unit.tables.floor_bench import HOUR, MACHINE, MIN, PLANT, S, at

T = at("10:00")
OIL = {"counts": "consumption", "of": "OIL", "unit": "kg"}
DEFINITIONS: list[dict[str, Any]] = [
    {},
    {"at_most": "9 / min"},
    {"shows": "remaining"},
    {"shows": "signal"},
    {"shows": "increment"},
    {"decimals": "1"},
    {"on_fall": "rollover", "modulus": "5000"},
]


def configured(*sources: str, shots: dict[str, Any] | None = None, **plant: Any) -> Configuration:
    """`shots` None: only another machine has that counter."""
    own = {"oil": OIL} if shots is None else {"oil": OIL, "shots": shots}
    equipment = {"*": {"counters": {"oil": OIL}}, MACHINE: {"counters": own}, "M2": {"counters": {"shots": {}}}}
    return live_configuration(*sources, equipment=equipment, **plant)


class Recorded(LivePlant):
    """With its raw topics."""

    def __init__(self, configuration: Configuration, now: int) -> None:
        self.raw: list[tuple[RawRecord, bool]] = []
        super().__init__(configuration, now)

    def tell(self, source: str, type_: str, **fields: Any) -> None:
        value = json.dumps({"t": self.host, "type": type_, "m": "M1", "seq": len(self.raw), **fields}).encode()
        place = RawRecord(value, source, f"raw.{source}/0", self._offsets[source] + 1, self.host)
        self.raw.append((place, False))
        self.send(source, type_, raw=value)

    def read_again(self, since: int | None = None, first: str = "") -> Reread:
        """Raw topics and the inbox of equipment, by the log. `since`: only from there on, under the configuration `first`."""
        index = LogIndex()
        log = self.log["equipment.inbox"]
        if since is not None:
            log = log[next(n for n, record in enumerate(log) if isinstance(record, Tick) and record.at >= since) :]
        wanted = LogSelection(PLANT, frozenset({MACHINE}), 2**62, 0)

        def waits_for(hash_: str) -> Any:
            configuration = self.configurations[hash_]
            return watch(self.topology.upstreams("equipment", configuration), configuration, tells=False)

        intakes = Intakes(lambda source: f"raw.{source}")
        index_equipment(index, [Encoded(record) for record in log], CODEC, wanted, intakes, waits_for, first)
        mappings = {hash_: Remapping(one, b"") for hash_, one in self.configurations.items()}
        found = reread_by_log(
            self.raw, index, lambda hash_: mappings[hash_ or min(mappings)], lambda hash_: self.configurations[hash_]
        )
        return found

    def told(self, cut: int) -> dict[str, tuple[str, int, int]]:
        """Source -> (order, amount, records) as orders knows it at the cut."""
        newest: dict[str, Total] = {}
        for total in self.totals():
            if total.label <= cut:
                newest[f"{total.order}|{total.business_date}|{total.source_key}"] = total
        return {key: (one.order, one.numerator, one.records) for key, one in newest.items() if one.numerator}


class Encoded:
    def __init__(self, record: Any) -> None:
        self._value = CODEC.encode(record)

    def value(self) -> bytes:
        return self._value


def counted_again(records: Reread, configuration: Configuration, cut: int) -> dict[str, tuple[str, int, int]]:
    found = recount(
        MACHINE, records.equipment[MACHINE], records.people, configuration.plant, calendar_of(configuration.plant), cut
    )
    again = {}
    for to, part in found.parts.items():
        if to.kind not in (UNATTRIBUTED, UNDECIDED) and to.order and part.amount:
            total = total_record(PLANT, MACHINE, to, part, 1)  # type: ignore[arg-type]  # has the fields that are asked for
            again[f"{to.order}|{to.business_date}|{total.source_key}"] = (to.order, part.amount, part.records)
    return again


def assert_explains_itself(plant: Recorded, newest: Configuration) -> None:
    records = plant.read_again()
    cuts = sorted({total.label for total in plant.totals()})
    assert len(cuts) > 2
    for cut in cuts:
        assert counted_again(records, newest, cut) == plant.told(cut), cut


@pytest.mark.parametrize("seed", range(20))
def test_every_tick_explains_itself_through_new_definitions(seed: int) -> None:
    """Two sources with lags of their own, late readings, runs that are corrected, a counter that goes and comes back."""
    chance = random.Random(seed)
    first = last = configured("a", "b", shots=chance.choice(DEFINITIONS))
    plant = Recorded(first, T)
    plant.idle(T + 5 * S)
    plant.tell("b", "start", job="R0", po="O0")
    shown, runs = 1000, 1
    for _ in range(150):
        kind = chance.random()
        if kind < 0.7:
            shown = max(0, shown + (chance.choice((0, 1, 1, 2)) if chance.random() < 0.97 else chance.choice((-700, 2500))))
            late = chance.choice((0, 0, 0, 15, 90)) * S
            plant.tell("a", "count", t=plant.host - late, n=shown)
        elif kind < 0.78:
            plant.tell("b", "start", job=f"R{runs}", po=f"O{runs % 3}")
            runs += 1
        elif kind < 0.82:
            plant.tell("b", "correct", job=f"R{chance.randrange(runs)}", po=f"O{chance.randrange(3)}")
        elif kind < 0.88:
            last = configured(
                "a", "b", shots=chance.choice([*DEFINITIONS, None]), attribution={"late_horizon": f"{1 + chance.randrange(3)} d"}
            )
            plant.configure(last)
        plant.idle(plant.host + chance.choice((1, 3, 10)) * S, *chance.choice(((), (), ("a",), ("b",))))
    plant.idle(plant.host + MIN)
    assert_explains_itself(plant, last)


def test_a_source_that_is_removed_has_told_of_its_time() -> None:
    plant = Recorded(configured("a", "b", shots={}), T)
    plant.idle(T + 5 * S)
    plant.tell("b", "start", job="A", po="O1")
    for shown in (100, 105, 107):
        plant.tell("a", "count", n=shown)
        plant.idle(plant.host + 10 * S)
    last = configured("b", "c", shots={"shows": "remaining"})
    plant.configure(last)
    plant.idle(plant.host + 10 * S)
    for shown in (50, 44):
        plant.tell("c", "count", n=shown, seq=shown)
        plant.idle(plant.host + 10 * S)
    assert_explains_itself(plant, last)


def test_a_silence_before_the_part_that_is_read_is_found_by_reading_all() -> None:
    """Readings of a spool that the horizon would have closed: only who knows of the silence takes them."""
    gateway = {"expect": {"every": "10 min"}}
    last = configured("a", "b", shots={}, sources={"a": gateway}, attribution={"late_horizon": "1 d"})
    plant = Recorded(last, T)
    plant.idle(T + 5 * S)
    plant.tell("b", "start", job="A", po="O1")
    plant.tell("a", "count", n=100)
    plant.idle(T + 4 * DAY_US, step=HOUR)
    for hour in range(2, 90, 4):
        plant.tell("a", "count", t=T + hour * HOUR, n=100 + hour)
    plant.idle(plant.host + MIN, step=10 * S)
    assert not plant.letters
    cut = plant.host
    whole, part = plant.read_again(), plant.read_again(T + 4 * DAY_US, last.hash)
    assert counted_again(whole, last, cut) == plant.told(cut)
    assert counted_again(part, last, cut) != plant.told(cut)


# -- the same within an account, which must come to what the fold posted


SHIFTS = {"calendar": {"shifts": {"one": "00:00", "two": "11:00", "three": "12:00"}, "business_date": "day_shift_began"}}
POST = {"post": [{"kind": kind, "when": ["shift_end"]} for kind in ("yield", "scrap")]}


def turning(first: str, then: str, *, scrap: tuple[int, ...] = ()) -> Recorded:
    """Counts 60 as `first`, posts at 11:00, counts 30 as `then`, posts at 12:00. `scrap`: declared in each of the two times."""
    found = [configured("a", "b", shots={"counts": kind}, rules=POST, **SHIFTS) for kind in (first, then)]
    plant = Recorded(found[0], T)
    plant.idle(T + 5 * S)
    plant.tell("b", "release", po="O1", n=1000)
    plant.tell("b", "start", job="A", po="O1")
    for base, configuration in zip((100, 160), found, strict=True):
        if configuration is found[1]:
            plant.idle(at("11:05"), step=5 * MIN)
            plant.configure(configuration)
            plant.idle(plant.host + 10 * S)
        for shown in range(base, base + (61 if base == 100 else 31), 30):
            plant.tell("a", "count", n=shown)
            plant.idle(plant.host + 10 * S)
        if scrap and scrap[base > 100]:
            plant.tell("b", "reject", po="O1", n=scrap[base > 100])
    plant.idle(at("12:05"), step=5 * MIN)
    return plant


def assert_postings_add_up(plant: Recorded) -> None:
    """By the configuration that each posting names."""
    records = plant.read_again()
    for record in plant.log["orders.inbox"]:
        if getattr(record, "order", "") == "O1" and not isinstance(record, Total) and not getattr(record, "equipment", ""):
            records.orders["O1"].append(RereadEvent(record.label, record.label, len(records.orders["O1"]), record))
    rows = [row for _, row in plant.steps["orders"].rows.scan(ACCOUNT_ROWS.prefix)]
    checked = 0
    for row in rows:
        for posting in row.issued:
            again = ReAddition(records, plant.configurations[posting.configuration]).posting(row, posting, rows)
            assert (again.steps, again.note) == (posting.amount, ""), (row.kind, posting.cut)
            checked += 1
    assert checked


@pytest.mark.parametrize(
    ("first", "then", "scrap", "posted"),
    [
        ("gross", "good", (), [60, 30]),
        ("good", "gross", (), [60, 30]),
        ("gross", "good", (4, 0), [56, 30]),
        ("gross", "good", (0, 3), [60, 30]),
        ("good", "gross", (0, 5), [60, 25]),
        ("good", "gross", (4, 0), [60, 30]),
        ("gross", "good", (4, 3), [56, 27]),  # one source of both times: all of it is of the pieces
    ],
)
def test_a_counter_that_turns_within_an_account_goes_on(first: str, then: str, scrap: tuple[int, ...], posted: list[int]) -> None:
    plant = turning(first, then, scrap=scrap)
    assert [one.amount for one in plant.postings if one.kind == "yield"] == posted
    assert_postings_add_up(plant)


def test_scrap_of_another_day_is_on_top_where_good_pieces_are_counted() -> None:
    """An account without pieces: what the operation counts is known from its other accounts, by trace too."""
    plant = turning("good", "good")
    plant.idle(at("08:00", 21), step=4 * HOUR)
    plant.tell("b", "reject", po="O1", n=95)
    plant.idle(at("11:05", 21), step=HOUR)
    assert [(one.kind, one.amount) for one in plant.postings][-1] == ("scrap", 95)
    assert_postings_add_up(plant)
