"""A repair of the clock reaches every row that bears a time of the wrong clock: nothing is kept, asked for or measured as if it
had happened in a time that never was."""

from typing import Any

import pytest

from schemas.avro_files import documents
from schemas.records import AttemptEnded, FormerConversions, MaterialRow, OrderRow
from streams.intake.raw_headers import CONTROL_HEADER
from streams.repairs import CONTROL, repair_line
from tables import row_kinds
from tables.clock_times import BY_THE_CLOCK, lowered
from tables.row_kinds import (
    ACCEPTED_ROWS,
    ACCOUNT_ROWS,
    AT_REST_ROWS,
    CLOSED_ACCOUNT_ROWS,
    CLOSED_MARK_ROWS,
    LOT_STATE_ROWS,
    ORDER_ROWS,
    POSTING_ROWS,
    RowKind,
)
from tests.unit.streams.live_plant import STAGES, LivePlant, live_configuration
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, S, at

T, DAY = at("07:00"), 24 * HOUR

OTHER_TIMES = {
    "AccountRow": {"due_at"},  # reckoned again
    "OrderRow": {
        "forget_at",
        "planned_start",
        "planned_end",
        "began_at",
        "started_at",
    },  # reckoned again; the ERP's; of the floor
    "LotRow": {"disposition_at"},  # of a person
    "DeclarationRow": {"occurred_at"},
    "MaterialRow": {"since"},  # of the ERP
    "EquipmentRow": {"clock", "standing", "first_at"},  # tables/equipment/own_clock.py; of the floor
    "JournalRow": {"clock", "standing"},  # gives way to the head row at a repair
    "PendingRow": {"label"},  # streams/waiting_records.py
    "PlantRow": {"clock"},  # marks: made again with their rows
}


def test_every_time_of_a_row_is_lowered_or_has_a_reason_not_to_be() -> None:
    kinds = {kind.record for kind in vars(row_kinds).values() if isinstance(kind, RowKind)}
    for record in kinds:
        times = {field["name"] for field in documents()[record.__name__]["fields"] if "timestamp-micros" in str(field["type"])}
        times = {name for name in times if "array" not in str(types_of(record)[name])}
        assert times == {*BY_THE_CLOCK.get(record, ()), *OTHER_TIMES.get(record.__name__, ())}, record.__name__


def types_of(record: type) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in documents()[record.__name__]["fields"]}


def test_former_conversions_were_told_no_later_than_the_clock_was_right() -> None:
    """Else a posting after the repair would not have known them."""
    former = [FormerConversions(["1 BOX = 48 PC"], 10, 30), FormerConversions(["1 BOX = 40 PC"], 20, 50)]
    row = MaterialRow("P", "4711", "PC", 0, False, ["1 BOX = 36 PC"], told_at=70, since=60, known_at=70, former=former)
    assert lowered(row, 40) and not lowered(row, 40)
    assert ([one.known_at for one in row.former], row.known_at, row.since) == ([30, 40], 40, 60)


@pytest.mark.parametrize("record", BY_THE_CLOCK, ids=lambda record: record.__name__)
def test_only_what_is_later_is_lowered(record: Any) -> None:
    class Row:
        pass

    names = BY_THE_CLOCK[record]
    BY_THE_CLOCK[Row] = names
    try:
        row = Row()
        for number, name in enumerate(names):
            setattr(row, name, 0 if number == 1 else 50)
        assert lowered(row, 40) and not lowered(row, 40)
        assert [getattr(row, name) for name in names] == [0 if number == 1 else 40 for number, _ in enumerate(names)]
    finally:
        del BY_THE_CLOCK[Row]


def wrong_times(made: LivePlant, right: int) -> dict[str, set[str]]:
    """Row type -> names of its times that are later than the clock has ever been right."""
    found: dict[str, set[str]] = {}
    for step in made.steps.values():
        for row in step.rows.rows.values():
            late = {name for name in BY_THE_CLOCK.get(type(row), ()) if getattr(row, name) > right}
            if late:
                found.setdefault(type(row).__name__, set()).update(late)
    return found


def ahead() -> tuple[LivePlant, int]:
    """A plant whose clock was 300 days ahead while an order and a lot went their whole way. Returns it with the moment before."""
    made = LivePlant(live_configuration("a", "b"), T)
    made.idle(T + 10 * MIN, step=5 * S)
    right = made.host
    made.idle(right + 300 * DAY, step=300 * DAY)
    made.send("b", "material")
    made.send("b", "release", po="O1", n=1000)
    made.send("b", "release", po="O2", n=1000)
    made.idle(made.host + MIN)
    made.send("b", "taken", po="O1")
    made.send("a", "start", job="A", po="O1", lot="L1")
    for count in (100, 107):
        made.send("a", "count", n=count)
    made.send("a", "loose", n=2)
    made.send("a", "end", job="A")
    for kind in ("hold", "unhold"):
        made.send("b", kind, lot="L1")
    for kind in ("done", "handed"):
        made.send("b", kind, po="O1")
    made.idle(made.host + DAY, step=HOUR)
    made.send("b", "closed", po="O1")
    for posting in made.postings:
        made.queues["delivery.inbox"].append(accepted(posting.posting_id))
    made.settle()
    made.idle(made.host + 2 * HOUR, step=HOUR)
    made.host = right + MIN
    return made, right


def accepted(name: str) -> AttemptEnded:
    return AttemptEnded(name, 1, "accepted", "post", erp_document=f"D-{name}")


@pytest.mark.parametrize("restarted", [False, True])
def test_no_row_bears_a_time_that_never_was(restarted: bool) -> None:
    made, right = ahead()
    assert set(wrong_times(made, right)) == {record.__name__ for record in BY_THE_CLOCK}, "the test reaches every kind of row"
    for stage in STAGES if restarted else ():
        made.restart(stage)
    for source in made.intakes:
        line = repair_line(PLANT, right, 1, "who", "the host was 300 days ahead")
        made.send(source, "", raw=line, headers={CONTROL_HEADER: CONTROL})
    assert wrong_times(made, right) == {}
    (order,) = (row for row in made.steps["orders"].rows.rows.values() if isinstance(row, OrderRow) and row.order == "O1")
    assert 0 < order.forget_at <= right + ORDER_ROWS.keep_us + 30 * DAY
    for stage in STAGES if restarted else ():
        made.restart(stage)
    made.idle(right + 200 * DAY, step=DAY)
    made.idle(made.host + HOUR, step=MIN)
    left = {key.split("|")[0] + "|" for stage in ("orders", "delivery") for key in made.steps[stage].rows.rows}
    kinds = {
        ORDER_ROWS,
        ACCOUNT_ROWS,
        POSTING_ROWS,
        ACCEPTED_ROWS,
        CLOSED_ACCOUNT_ROWS,
        CLOSED_MARK_ROWS,
        LOT_STATE_ROWS,
        AT_REST_ROWS,
    }
    assert {kind.prefix for kind in kinds} & left == {ORDER_ROWS.prefix}, "what ended is forgotten in its time, with its marks"
    orders = {row.order for row in made.steps["orders"].rows.rows.values() if isinstance(row, OrderRow)}
    assert orders == {"O2"}, "and what is open stays"
