"""What stages in one process hand to each other, and what stands in the rows of it."""

from app.run.in_memory import Chain
from schemas.records import RawRange, Tick
from schemas.topics import ORDERS_INBOX
from streams.memory_step import Handed, Sent
from tables.row_kinds import WAITING_ROWS
from tests.unit.streams.ledger_bench import total
from tests.unit.tables.floor_bench import PLANT, at, configuration

LATER = at("10:00")


def chain_with_a_waiting_total() -> tuple[Chain, list[RawRange]]:
    """The total waits for a tick that has not come; its sender keeps the ranges."""
    chain = Chain(configuration(), "raw.p", b"")
    told = total("gross", 5, label=LATER)
    ranges = told.ranges
    chain._emit(Sent(ORDERS_INBOX, f"{PLANT}|O1", told, 0))
    chain.settle()
    return chain, ranges


def test_a_checkpoint_encodes_what_waits() -> None:
    chain, _ = chain_with_a_waiting_total()
    (waiting,) = [row for _, row in WAITING_ROWS.scan(chain._steps["orders", 0].rows)]
    assert type(waiting.record) is Handed
    chain.checkpoint()
    assert chain.codec.decode(waiting.record).numerator == 5
    assert any(key.startswith(WAITING_ROWS.prefix.encode()) for key in chain.encoded()["orders"])


def test_a_sender_that_goes_on_changes_nothing_that_it_sent() -> None:
    chain, ranges = chain_with_a_waiting_total()
    ranges[0].last = 99
    (waiting,) = [row for _, row in WAITING_ROWS.scan(chain._steps["orders", 0].rows)]
    assert waiting.record.record.ranges[0].last == 1


def test_what_was_handed_over_has_the_bytes_of_a_broker() -> None:
    chain, _ = chain_with_a_waiting_total()
    tick = Tick(PLANT, LATER, "intake/raw.p/0", False)
    assert bytes(Handed(tick, chain.codec)) == chain.codec.encode(tick)
