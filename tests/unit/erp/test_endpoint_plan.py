"""Which ERP an endpoint calls, by the configurations that name it; and what waits when that changes."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.erp.endpoint_plan import EndpointPlan
from app.erp.own_erp import ErpIdentity
from app.observability.secrets import Secrets
from app.secret import SecretInUse
from tables.delivery.outbox import Dispatch, Paused
from tests.unit.erp.executor_bench import Bench
from tests.unit.streams.quality_bench import configuration

ENVIRON = {"A": "https://a.example", "B": "https://b.example"}


def posting_to(url: str, **erp: Any) -> Any:
    return configuration(erp={"erp": {"adapter": "sim", "url": url, **erp}})


A, B = posting_to("${A}"), posting_to("${B}")
NONE = configuration(erp={"erp": {"adapter": "none"}})


def chosen(plants: dict[str, Any], since: dict[str, int] | None = None, before: Any = None) -> str:
    plan = EndpointPlan.of(plants, since or {}, ENVIRON, None if before is None else ErpIdentity.of(before.erp, ENVIRON))
    return "" if plan is None else plan.configuration.erp.erp.url


@pytest.mark.parametrize(
    ("plants", "since", "before", "url"),
    [
        ({}, {}, None, ""),
        ({"P": NONE}, {}, None, ""),
        ({"P": NONE, "Q": A}, {}, None, "${A}"),
        ({"P": A, "Q": B}, {"P": 2, "Q": 1}, None, "${B}"),
        ({"P": A, "Q": B}, {"P": 2, "Q": 1}, A, "${A}"),
        ({"P": A, "Q": B, "R": B}, {"P": 1, "Q": 2, "R": 3}, A, "${B}"),
        ({"P": posting_to("${MISSING}"), "Q": B}, {}, None, "${B}"),
        ({"P": posting_to("${MISSING}")}, {}, None, "${MISSING}"),
    ],
)
def test_one_erp_per_endpoint(plants: dict[str, Any], since: dict[str, int], before: Any, url: str) -> None:
    """What most plants mean, then what is called already, then what was said first."""
    assert chosen(plants, since, before) == url


def test_the_smallest_limits_of_its_plants_hold() -> None:
    fast, few = posting_to("${A}", calls_per_second=20, concurrency=2), posting_to("${A}", calls_per_second=5, concurrency=8)
    plan = EndpointPlan.of({"P": fast, "Q": few, "R": posting_to("${B}", calls_per_second=1)}, {}, ENVIRON)
    assert plan is not None
    erp = plan.configuration.erp.erp
    assert (erp.calls_per_second, erp.concurrency) == (Fraction(5), 2)
    assert len(plan.zones) == 2


def test_the_smallest_quota_of_each_span_holds() -> None:
    day, hour = {"calls": 9_000, "processing": "10 min"}, {"calls": 500, "per": "1 h"}
    plants = {
        "P": posting_to("${A}", quota=[day, hour]),
        "Q": posting_to("${A}", quota={"calls": 10_000, "processing": "300 s"}),
        "R": posting_to("${A}", quota={"processing": "60 s", "per": "1 h"}),
        "S": posting_to("${A}"),
        "T": posting_to("${B}", quota={"calls": 1, "per": "1 h"}),
    }
    plan = EndpointPlan.of(plants, {}, ENVIRON)
    assert plan is not None
    quotas = [(one.per_us, one.calls, one.processing_us) for one in plan.configuration.erp.erp.quota]
    assert quotas == [(3_600_000_000, 500, 60_000_000), (86_400_000_000, 9_000, 300_000_000)]
    assert EndpointPlan.of({"S": plants["S"]}, {}, ENVIRON).configuration.erp.erp.quota == []  # type: ignore[union-attr]


async def test_what_waits_goes_on_with_the_next_adapter() -> None:
    """Nothing is sent twice, and nothing is forgotten: the call under way ends first."""
    before, after = Bench(concurrency=1), Bench(concurrency=1)
    after.rows = before.rows
    after.executor._peek = before.rows.get
    for name in ("P1", "P2"):
        before.row(name)
    before.erp.gate.clear()
    before.executor.accept(0, [Dispatch("P1", 1), Dispatch("P2", 1)])
    await before.time.advance(10)
    assert [document.lines[0].posting_id for _, document in before.erp.posted] == ["P1"]
    before.erp.gate.set()
    await before.executor.close()
    assert [one[0] for one in before.results()] == ["P1"]
    after.time.now_ns = before.time.now_ns
    after.executor.go_on(before.executor)
    await after.time.advance(10)
    assert [document.lines[0].posting_id for _, document in after.erp.posted] == ["P2"]
    await after.executor.close()
    assert before.fatal == after.fatal == []


async def test_what_a_person_paused_stays_paused_with_the_next_adapter() -> None:
    before, after = Bench(), Bench()
    after.rows, after.executor._peek = before.rows, before.rows.get
    before.row("P1")
    before.executor.accept(0, [Paused(True), Dispatch("P1", 1)])
    await before.executor.close()
    after.executor.go_on(before.executor)
    await after.time.advance(60)
    assert after.erp.posted == []
    after.executor.accept(0, [Paused(False)])
    await after.time.advance(10)
    assert [document.lines[0].posting_id for _, document in after.erp.posted] == ["P1"]
    await after.executor.close()


def test_a_secret_that_the_log_names_later_is_hidden_and_so_is_its_successor(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("second-secret", encoding="utf-8")
    hidden = Secrets(["first-secret"])
    hidden.learn(SecretInUse("erp-two", {"ERP_TWO_FILE": str(file)}))
    assert hidden.hide("first-secret second-secret third") == "*** *** third"
    file.unlink()
    file.write_text("next-secret", encoding="utf-8")
    assert hidden.hide("first-secret second-secret next-secret") == "*** *** ***"
