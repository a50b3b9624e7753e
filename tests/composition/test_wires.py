"""What `lineledger worker` composes, taken apart: each wire that a guarantee hangs on leads where it should.

Services are those that the command line builds, from its own settings, on a real Kafka with a real registry.
"""

import asyncio
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from prometheus_client import REGISTRY

from app.configuration import load
from app.delivery import ErpCalls
from app.engine.stage import DELETE_RETENTION_SECONDS, StageApp
from app.erp.doorway import Doorway, Passage
from app.erp.port import ErpUnavailable
from app.erp.traffic import figures, journalled
from app.idle_clock import IdleClock
from app.kafka.connection import Connection
from app.settings import Settings
from app.topology import STAGES, PlantProcess
from schemas.catalog import ENDPOINT, catalog
from schemas.configuration import Configuration
from schemas.records import PartitionPosition
from streams.memory_step import MemoryStep
from tables.delivery.outbox import HeldUntil
from tables.row_kinds import LOT_ROWS
from tests.composition.wires import CONFIG
from tests.integration.erp.hostile_erp import HostileErp
from tests.unit.erp.test_traffic import document
from tests.unit.streams.quality_bench import MATERIAL, PLANT, placed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def changed(erp: dict[str, Any] | None = None, plant: dict[str, Any] | None = None) -> Configuration:
    """The configuration with other keys of `erp:` in erp.yaml, and of plant.yaml."""
    found = load(CONFIG)
    endpoint = found.erp.erp.model_copy(update=erp or {})
    return Configuration.of(
        found.plant.model_copy(update=plant or {}), found.rules, found.erp.model_copy(update={"erp": endpoint})
    )


def one(services: list[Any], kind: type) -> Any:
    (found,) = [service for service in services if isinstance(service, kind)]
    return found


def test_every_raw_topic_has_an_intake_with_a_clock(compose) -> None:  # type: ignore[no-untyped-def]
    services = compose(["intake"])
    apps = [service for service in services if isinstance(service, StageApp)]
    assert {app.stage.name for app in apps} == {"intake.raw.wires.presses", "intake.raw.wires.offices"}
    assert len([service for service in services if isinstance(service, IdleClock)]) == 2


def test_every_stage_is_composed_with_a_store_that_grows_old(compose) -> None:  # type: ignore[no-untyped-def]
    """Beyond half of what a changelog keeps of deletions a store would bring deleted rows back."""
    apps = [service for service in compose(STAGES) if isinstance(service, StageApp)]
    assert {app.stage.name.partition(".")[0] for app in apps} == set(STAGES)
    for app in apps:
        (tp,) = [name for name in app.inboxes][:1]
        assert app.settings.changelog_max_age == DELETE_RETENTION_SECONDS / 2, tp
        assert app.settings.topic_ids, "the topics' ids are compared"


@pytest.mark.parametrize(("rate", "most"), [(4, 2), (50, 8)])
def test_the_budget_is_the_configurations(compose, rate: int, most: int) -> None:  # type: ignore[no-untyped-def]
    calls = one(compose(["delivery"], changed({"calls_per_second": Fraction(rate), "concurrency": most})), ErpCalls)
    budget = calls._executor._budget
    assert (budget.rate, budget.calls) == (rate, most)


def test_the_lease_is_what_was_confirmed_last(compose) -> None:  # type: ignore[no-untyped-def]
    services = compose(["delivery"])
    calls, app = one(services, ErpCalls), one(services, StageApp)
    assert not calls._executor._lease_is_good(), "nothing was confirmed yet"
    app.last_commit_boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert calls._executor._lease_is_good()
    app.last_commit_boottime -= app.settings.session_timeout / 2 + 0.1
    assert not calls._executor._lease_is_good(), "half of the session has passed: somebody else may own it soon"


@pytest.mark.parametrize(("windows", "waits"), [(["daily 00:00-23:59"], True), ([], False)])
def test_maintenance_holds_the_executor_back(compose, windows: list[str], waits: bool) -> None:  # type: ignore[no-untyped-def]
    calls = one(compose(["delivery"], changed({"maintenance": windows})), ErpCalls)
    assert (calls._executor._maintenance() > 0) is waits


@pytest.mark.parametrize("pulled", [True, False])
def test_master_data_of_the_erp_is_pulled(compose, pulled: bool) -> None:  # type: ignore[no-untyped-def]
    plain = load(CONFIG)
    master = plain.plant.master_data.model_copy(update={"materials": "erp"}) if pulled else plain.plant.master_data
    calls = one(compose(["delivery"], changed({"pull_every_us": 7_000_000}, {"master_data": master})), ErpCalls)
    pulls = list(calls.pulls.values())
    assert len(pulls) == pulled
    assert all(pull._poller._every_s == 7 for pull in pulls)


def test_entries_and_partitions_reach_the_executor(compose) -> None:  # type: ignore[no-untyped-def]
    services = compose(["delivery"])
    calls, app = one(services, ErpCalls), one(services, StageApp)
    assert calls in app.observers
    app.on_released(calls.place.partition, [HeldUntil(2**62)])
    assert calls._executor._budget.held_until
    calls.taken_over(calls.place.partition)
    assert calls._executor._owned == {calls.place.partition}
    calls.left(calls.place.partition)
    assert calls._executor._owned == set()


def test_the_idle_clock_is_bounded(compose, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A wall clock that jumps moves the plant's time on at most twice as fast as time passes."""
    clock = next(service for service in compose(["intake"]) if isinstance(service, IdleClock))
    before, passed = time.time(), 10.0
    steady = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: steady + passed)
    monkeypatch.setattr(time, "time", lambda: before + 8 * 86_400)
    assert before <= clock._clock.sample() <= before + 2 * passed + 1.0


def test_settings_reach_every_stage(connection: Connection, environ: None, tmp_path: Path) -> None:
    settings = Settings(connection=connection, datadir=str(tmp_path), instance="pod-7", session_timeout=17.0)
    services = asyncio.run(PlantProcess(replace(settings), load(CONFIG)).apps(STAGES))
    for app in [service for service in services if isinstance(service, StageApp)]:
        assert app.settings.session_timeout == 17.0
        assert app.settings.instance == f"{connection.prefix}{app.stage.name}.pod-7"
        assert app.conf.broker_session_timeout == 17.0
        assert app.conf.consumer_group_instance_id == app.settings.instance, "a restart keeps its partitions"


@pytest.mark.parametrize("recorded", [False, True])
def test_a_hold_waits_for_no_clock_but_over_recorded_input(
    connection: Connection, environ: None, tmp_path: Path, recorded: bool
) -> None:
    settings = Settings(connection=connection, datadir=str(tmp_path), recorded=recorded)
    (app,) = asyncio.run(PlantProcess(settings, load(CONFIG)).apps(["lots"]))
    step = MemoryStep("lots.inbox")
    app.stage.taken_over(step)
    step.deliver(placed("L1", "H", 1, label=60))
    app.stage.fold(step)
    assert (LOT_ROWS.find(step.rows, PLANT, MATERIAL, "L1") is None) == recorded


def test_another_plants_erp_is_refused(plant: PlantProcess) -> None:
    """What the log says about a plant decides, not the configuration that the process was started with."""
    services = asyncio.run(plant.apps(["delivery"]))
    calls, app = one(services, ErpCalls), one(services, StageApp)
    moved = changed({"url": "http://127.0.0.1:2"})
    plant.configurations.publish(moved)
    state = PartitionPosition(0, 1, 1, "", configurations={"WIRES": load(CONFIG).hash})
    endpoint = TP(f"{plant.settings.prefix}delivery.inbox", catalog().endpoints[ENDPOINT])
    app.tables.parts[endpoint] = SimpleNamespace(ready=True, state=state, rows={})
    plant.configurations.publish(load(CONFIG))
    assert not calls._executor._own.foreign("WIRES")
    state.configurations["WIRES"] = moved.hash
    assert "127.0.0.1:2" in calls._executor._own.foreign("WIRES")


async def test_what_goes_to_the_erp_is_counted(
    connection: Connection, environ: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the transport of each adapter of the process: documents, those that go again, read-backs, pulls; all through one
    doorway, where they wait for their turn."""
    journal, passed = tmp_path / "requests.jsonl", []
    let_out = Doorway.let_out

    async def counted_out(self: Doorway, document: bool = False) -> Passage:
        passed.append(self)
        return await let_out(self, document=document)

    monkeypatch.setattr(Doorway, "let_out", counted_out)
    settings = Settings(connection=connection, datadir=str(tmp_path), erp_journal=str(journal))
    master = load(CONFIG).plant.master_data.model_copy(update={"materials": "erp"})
    async with HostileErp("reset", at_login=False).listening() as erp:
        monkeypatch.setenv("LIVE_ERP_URL", f"http://127.0.0.1:{erp.port}")
        services = await PlantProcess(settings, changed(plant={"master_data": master})).apps(["delivery"])
        calls = one(services, ErpCalls)
        posts, pulls = calls._executor._adapter, calls.pulls["WIRES"]._adapter
        for _ in range(2):
            await posts.post(document("P1", "P2"))
        await posts.find("P1", "h")
        with pytest.raises(ErpUnavailable):
            await pulls.master_data("")
        await posts.close()
        await pulls.close()
    assert len(passed) == 4
    assert len({id(doorway) for doorway in passed}) == 1
    names = ("post", "find", "master", "question", "other")
    told = {
        name: REGISTRY.get_sample_value("lineledger_erp_requests_total", {"endpoint": ENDPOINT, "call": name}) for name in names
    }
    assert told == {"post": 2, "find": 1, "master": 1, "question": 0, "other": 0}
    assert REGISTRY.get_sample_value("lineledger_erp_posts_again_total", {"endpoint": ENDPOINT}) == 1
    found = figures(list(journalled(journal)))
    counted = {name: found[name] for name in ("requests", "attempts", "retries", "read_backs", "pulls")}
    assert counted == {"requests": 4, "attempts": 2, "retries": 1, "read_backs": 1, "pulls": 1}
