"""Before a taken-over partition is read: one successful heartbeat, however often it takes."""

import asyncio
from types import SimpleNamespace

import pytest
from faust.types import TP

from app.engine import tables
from app.engine.tables import Recovery, TableManager


class Group:
    """A consumer whose heartbeats answer as told; `rebalance_at`: the heartbeat at which the generation moves on."""

    def __init__(self, answers: list[bool], rebalance_at: int = -1) -> None:
        self.answers, self.rebalance_at, self.beats = answers, rebalance_at, 0
        self.generation = 1

    async def confirm_membership(self) -> bool:
        if self.beats == self.rebalance_at:
            self.generation += 1
        self.beats += 1
        return self.answers[min(self.beats, len(self.answers)) - 1]


class App:
    def __init__(self, group: Group) -> None:
        self.consumer = group

    @property
    def consumer_generation_id(self) -> int:
        return self.consumer.generation


class Bare(Recovery):
    """Without Faust's service around it."""

    should_stop = False

    def __init__(self, group: Group) -> None:
        self.app, self.tables = App(group), SimpleNamespace(revocations=0)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEARTBEAT_PAUSE_SECONDS", 0.0)


async def test_an_unanswered_heartbeat_is_repeated() -> None:
    group = Group([False, False, True])
    assert await Bare(group).still_member(1, 0)
    assert group.beats == 3


async def test_a_rebalance_ends_the_waiting() -> None:
    group = Group([False], rebalance_at=2)
    assert not await Bare(group).still_member(1, 0)
    assert group.beats == 3


async def test_what_is_assigned_is_not_ready_because_something_was_before() -> None:
    """Between a rebalance and the first step of the take-over nothing is known of the partitions that came."""
    recovery = Bare(Group([True]))
    known, fresh = TP("orders.inbox", 0), TP("orders.inbox", 1)
    manager = TableManager.__new__(TableManager)
    manager.app, manager.parts, manager.revocations = SimpleNamespace(inboxes={"orders.inbox"}), {known: None}, 0
    recovery.tables, recovery.completed, recovery._signal_recovery_start = manager, asyncio.Event(), asyncio.Event()
    recovery.completed.set()
    await recovery.on_rebalance({known}, set(), set(), 2)
    assert recovery.completed.is_set(), "nothing new"
    await recovery.on_rebalance({known, fresh}, set(), {fresh}, 3)
    assert not recovery.completed.is_set()
