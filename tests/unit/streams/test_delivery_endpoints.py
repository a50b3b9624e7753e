"""Delivery where an installation has several ERPs: whose postings wait, which move on, and what stays when a plant moves."""

from typing import Any

from schemas.records import AttemptEnded, ConfigActivated, EndpointOrdered, LotState, OperatorDecision, Posting, Tick
from schemas.topics import DELIVERY_INBOX
from streams.step import sender
from tables.delivery.outbox import Dispatch, Paused, ReadBack
from tables.row_kinds import ENDPOINT_ROWS
from tests.unit.streams.ledger_bench import Ledger
from tests.unit.streams.quality_bench import PLANT, Bench, S, configuration, placed, posting, released
from tests.unit.streams.test_lots import Lots
from tests.unit.tables.floor_bench import configuration as of_the_floor

ENDPOINTS = {"erp": 0, "tryton": 1}


def naming(endpoint: str, **erp: Any) -> Any:
    return configuration(erp={"erp": {"adapter": "sim", "idempotent": False, "endpoint": endpoint, **erp}})


HERE, THERE, NOBODYS = naming("erp"), naming("tryton", calls_per_second=3), naming("nobodys")


def bench(*configurations: Any, endpoints: dict[str, int] = ENDPOINTS, partition: int = 0) -> Bench:
    made = Bench(*configurations)
    made.topology.endpoints = endpoints
    made.step.partition = partition
    made.stage.left(0)
    made.stage.taken_over(made.step)
    return made


def activated(config: Any, at: int) -> ConfigActivated:
    return ConfigActivated(PLANT, config.hash, at, sender("intake", f"raw.{PLANT}", 0))


def sent_on(made: Bench) -> list[tuple[int | None, str, str]]:
    """(partition, endpoint, posting) of what went to another partition."""
    found = [each for each in made.step.sent if each.topic == DELIVERY_INBOX]
    return [(each.partition, each.record.endpoint, each.record.posting_id) for each in found if isinstance(each.record, Posting)]


def test_what_no_endpoint_is_for_waits_with_a_code() -> None:
    made = bench(NOBODYS)
    assert made.fold(posting("P1", endpoint="nobodys")) == []
    assert made.clock(20 * S) == []
    row = made.row("P1")
    assert (row.state, row.code, row.detail) == ("parked", "ENDPOINT_UNKNOWN", "the installation has no endpoint `nobodys`")
    assert made.crash() == []
    assert made.row("P1").code == "ENDPOINT_UNKNOWN", "the next owner does not have it either"


def test_it_goes_to_its_endpoint_when_the_document_has_it() -> None:
    made = bench(NOBODYS)
    made.fold(posting("P1", endpoint="nobodys"))
    made.clock(20 * S)
    assert made.step.state.marks["postings"] == 1
    made.topology.endpoints = {"erp": 0, "nobodys": 1}
    made.crash()
    assert sent_on(made) == [(1, "nobodys", "P1")]
    assert made.row("P1") is None
    assert made.step.state.marks["postings"] == 0, "it is counted where it is"
    assert made.clock(30 * S) == []


def test_it_follows_its_plant_to_an_endpoint_that_is_there() -> None:
    made = bench(NOBODYS, THERE)
    made.fold(posting("P1", endpoint="nobodys"), posting("P2", endpoint="nobodys", account="A2", cut=25 * S))
    made.clock(20 * S)
    assert (made.row("P1").code, made.row("P2").state) == ("ENDPOINT_UNKNOWN", "waiting_clock")
    made.fold(activated(THERE, 22 * S))
    made.clock(30 * S)
    assert sent_on(made) == [(1, "tryton", "P1"), (1, "tryton", "P2")]
    assert (made.row("P1"), made.row("P2")) == (None, None)
    made.fold(LotState(PLANT, "M", "L1", True, ["H"], 31 * S, 1))  # nothing of it is remembered here
    made.clock(40 * S)


def test_what_was_issued_for_the_old_endpoint_stays_there() -> None:
    """Its outcome is unknown: another ERP would say that it is not there."""
    made = bench(HERE, THERE)
    (first,) = made.fold(posting("P1", cut=0)) or made.clock(10 * S)
    assert isinstance(first, Dispatch)
    made.fold(activated(THERE, 15 * S))
    made.clock(20 * S)
    assert made.step.state.configurations[PLANT] == THERE.hash
    assert made.step.state.posted_under[PLANT] == HERE.hash
    assert [type(one) for one in made.fold(AttemptEnded("P1", 1, "unknown", "post", code="ERP_TIMEOUT"))] == [ReadBack]
    assert [type(one) for one in made.crash()] == [ReadBack]
    assert sent_on(made) == []
    not_there = AttemptEnded("P1", 1, "not_found", "find", code="HORIZON_PASSED")
    (again,) = made.fold(not_there)
    assert isinstance(again, Dispatch)
    assert made.row("P1").configuration == HERE.hash, "it goes again to the ERP that it was issued for"


def test_a_plant_that_comes_back_posts_under_what_is_in_force() -> None:
    back = naming("erp", calls_per_second=7)
    made = bench(HERE, THERE, back)
    made.fold(activated(THERE, 15 * S))
    made.clock(20 * S)
    made.fold(activated(back, 25 * S))
    made.clock(30 * S)
    assert made.step.state.posted_under == {}
    made.fold(posting("P1", cut=26 * S))
    assert made.row("P1").configuration == back.hash


def test_a_configuration_that_was_passed_in_one_tick_counts() -> None:
    """What was issued under it is sent under it, although it was never in force here."""
    made = bench(HERE, THERE, NOBODYS, partition=1)
    made.fold(activated(THERE, 15 * S), activated(NOBODYS, 18 * S), posting("P1", endpoint="tryton", cut=16 * S))
    (sent,) = made.clock(20 * S)
    assert isinstance(sent, Dispatch)
    assert made.row("P1").configuration == THERE.hash


def test_the_window_is_of_the_plants_that_post_here() -> None:
    wide = naming("tryton", concurrency=9)
    made = bench(wide, partition=0)
    assert made.stage._desk(made.step).window == 0
    made = bench(wide, partition=1)
    assert made.stage._desk(made.step).window == 18


def test_a_decision_is_taken_by_the_endpoint_that_has_the_posting() -> None:
    made = bench(HERE)
    about = {
        "event_id": "d",
        "plant": PLANT,
        "occurred_at": 0,
        "received_at": 0,
        "source": "s",
        "raw_source": "r",
        "raw_offset": 0,
    }
    told = {"order": "O1", "account": "", "code": "", "decision": "cancel", "who": "w", "why": "y", "posting_id": "P9"}
    made.fold(OperatorDecision(**about, **told))
    assert made.step.take("exceptions") == []
    made.topology.endpoints = {"erp": 0}
    made.fold(OperatorDecision(**about, **told))
    assert [each.code for each in made.step.take("exceptions")] == ["NOTHING_PARKED"]


def order(mode: str, endpoint: str) -> EndpointOrdered:
    return EndpointOrdered(f"{mode}-{endpoint}", PLANT, S, S, "operators", "f", 0, mode=mode, who="w", why="y", endpoint=endpoint)


def test_what_people_order_stands_in_the_row_of_the_endpoint() -> None:
    made = bench(THERE, partition=1)
    assert made.fold(order("pause", "tryton")) == [Paused(True)]
    assert [key for key, _ in made.step.rows.scan(ENDPOINT_ROWS.prefix)] == [ENDPOINT_ROWS.key("tryton")]
    made.fold(posting("P1", endpoint="tryton", cut=0))
    assert made.clock(10 * S) == []
    assert made.crash() == [Paused(True)]
    assert [type(one) for one in made.fold(order("resume", "tryton"))] == [Paused, Dispatch]


def test_an_order_for_an_endpoint_that_this_document_does_not_have_here_yet() -> None:
    """It comes from a worker with a wider document: it stops nobody else, and holds when the partition is the endpoint's."""
    made = bench(HERE)
    assert made.fold(order("pause", "next")) == []
    sent = made.fold(posting("P1", cut=0)) + made.clock(10 * S)
    assert [type(one) for one in sent] == [Dispatch]
    made.topology.endpoints = {"next": 0, "erp": 1}
    assert made.crash()[0] == Paused(True)


def test_a_new_endpoint_hears_of_the_configurations_before_any_tick() -> None:
    ledger = Ledger(of_the_floor())
    ledger.tick(10 * S)
    ledger.topology.endpoints = ENDPOINTS
    for kinds in ([ConfigActivated, Tick], [Tick]):
        ledger.step.sent.clear()
        at = ledger.step.state.reached["P"] + 10 * S
        ledger.fold(*(Tick("P", at, name) for name in ledger.topology.upstreams("orders", ledger.configurations[0])))
        assert [type(each.record) for each in ledger.step.sent if (each.topic, each.partition) == (DELIVERY_INBOX, 1)] == kinds
        ledger.restart()


def test_a_new_endpoint_hears_of_the_holds_before_any_tick() -> None:
    lots = Lots()
    lots.fold(placed("L1", "H", 1), placed("L2", "H", 1), released("L2", "H", 2))
    lots.clock(10 * S)
    lots.topology.endpoints = ENDPOINTS
    for kinds in ([LotState, Tick], [Tick]):
        lots.step.sent.clear()
        lots.clock(lots.step.state.reached[PLANT] + 10 * S)
        told = [each.record for each in lots.step.sent if (each.topic, each.partition) == (DELIVERY_INBOX, 1)]
        assert [type(each) for each in told] == kinds
        assert not isinstance(told[0], LotState) or (told[0].lot, told[0].held) == ("L1", True)
