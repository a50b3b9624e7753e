"""A worker calls one ERP: nothing of a plant that posts to another one is sent there, asked there, or counted as a failure."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.erp.own_erp import ErpIdentity, NoErp, OwnErp
from schemas.configuration import Configuration
from tables.delivery.outbox import Dispatch, ReadBack
from tests.unit.erp.executor_bench import Bench
from tests.unit.streams.quality_bench import configuration

PAUSE = 2.0


def posting_to(url: str, adapter: str = "sim") -> Configuration:
    return configuration(erp={"erp": {"adapter": adapter, "url": url}})


HERE, THERE = posting_to("https://erp.example/books"), posting_to("https://other.example/books")


@pytest.fixture
async def made() -> AsyncIterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(*args: Any, **options: Any) -> Bench:
        benches.append(Bench(*args, **options))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.executor.close()
        assert bench.fatal == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://erp.example/books", "https://erp.example:443/books/", True),
        ("https://erp.example/books", "https://ERP.example/books", True),
        ("https://anna@erp.example/books", "https://berta@erp.example/books", True),
        ("${ERP}/books", "https://erp.example/books", True),
        ("https://erp.example/books", "https://erp.example/other", False),
        ("https://erp.example/books", "http://erp.example/books", False),
        ("https://erp.example/books", "https://erp.example:8443/books", False),
        ("https://erp.example/books", "https://erp2.example/books", False),
        ("${ERP}/books", "${ERP_2}/books", False),
    ],
)
def test_which_addresses_mean_the_same_erp(one: str, other: str, same: bool) -> None:
    environ = {"ERP": "https://erp.example", "ERP_2": "https://erp2.example"}
    identities = [ErpIdentity.of(posting_to(url).erp, environ) for url in (one, other)]
    assert (identities[0] == identities[1]) is same
    assert "anna" not in str(identities[0])


def test_another_adapter_an_unknown_address_and_no_erp_are_foreign() -> None:
    known = {
        one.hash: one for one in (HERE, THERE, posting_to("https://erp.example/books", "tryton"), posting_to("${ELSEWHERE}"))
    }
    for own in (ErpIdentity.of(HERE.erp, {}), None):
        foreign = {hash_: OwnErp(own, {}, known.__getitem__, lambda plant, hash_=hash_: hash_).foreign("P") for hash_ in known}
        assert [hash_ for hash_, why in foreign.items() if not why] == ([HERE.hash] if own else [])
    assert OwnErp(None, {}, known.__getitem__, lambda plant: "").foreign("P") == "", "a plant without configuration posts nothing"


async def test_a_posting_dispatched_for_another_erp_is_not_sent(made: Callable[..., Bench]) -> None:
    bench = made(config=HERE, others=[THERE])
    bench.row("P1", configuration=THERE.hash)
    bench.row("P2")
    bench.executor.accept(0, [Dispatch("P1", 1), Dispatch("P2", 1)])
    await bench.time.advance(PAUSE)
    assert sorted(bench.results()) == [("P1", "retry", "ERP_FOREIGN"), ("P2", "accepted", "")]
    assert [line.posting_id for _, document in bench.erp.posted for line in document.lines] == ["P2"]
    assert bench.metric("lineledger_erp_withheld_total", code="ERP_FOREIGN") == 1


async def test_a_configuration_that_moves_the_plant_between_dispatch_and_call_stops_the_call(made: Callable[..., Bench]) -> None:
    bench = made(config=HERE, others=[THERE])
    bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    bench.active = THERE.hash  # folded after the commit, before the budget let it go
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "retry", "ERP_FOREIGN")]
    assert bench.erp.posted == []


async def test_another_erp_is_never_asked_whether_it_has_the_posting(made: Callable[..., Bench]) -> None:
    """It would say `not found`, and the posting would be booked a second time."""
    bench = made(config=HERE, others=[THERE])
    bench.row("P1", "unknown", configuration=THERE.hash)
    bench.row("P2", "unknown")
    bench.executor.accept(0, [ReadBack("P1", 1), ReadBack("P2", 1)])
    await bench.time.advance(300)
    assert {one.posting_id for one in bench.sent} == {"P2"}
    assert bench.sent[-1].code == "HORIZON_PASSED"


async def test_postings_of_another_erp_cost_no_budget(made: Callable[..., Bench]) -> None:
    bench = made(config=HERE, others=[THERE])
    for n in range(50):
        bench.row(f"F{n}", configuration=THERE.hash)
    bench.row("P1")
    begun = bench.time.now_ns
    bench.executor.accept(0, [*(Dispatch(f"F{n}", 1) for n in range(50)), Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    assert len(bench.sent) == 51
    assert (bench.erp.posted[0][0] - begun) / 1e9 < 1.5, "50 calls of the budget would take 5 s"


async def test_the_adapter_of_a_worker_without_an_erp_is_never_reached() -> None:
    with pytest.raises(RuntimeError, match="asks nothing"):
        await NoErp().find("P1", "h")
