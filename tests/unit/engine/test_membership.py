"""Before a taken-over partition is read: one successful heartbeat, however often it takes."""

from types import SimpleNamespace

import pytest

from app.engine import tables
from app.engine.tables import Recovery


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
