"""An idle tick T leaves only after a fetch that was asked for after T and found nothing behind the position."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from app import idle_clock
from app.engine.fetches import Fetch
from app.idle_clock import IdleClock
from app.kafka.broker_clock import ClockUnknown, difference

INBOX = TP("raw.presses", 0)
WALL = 1_700_000_000.0
FUTURE_S = 300


class Plant:
    """An idle clock over one partition, with time and answers of the broker in the hands of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic, self.wall, self.fetch = 50.0, WALL, None
        self.ahead: float | None = 0.0
        self.ticks: list[float] = []
        time = SimpleNamespace(time=lambda: self.wall, monotonic=lambda: self.monotonic)
        monkeypatch.setattr(idle_clock, "time", time)
        self.part = SimpleNamespace(ready=True, leaving=False, position=7)
        consumer = SimpleNamespace(fetches=SimpleNamespace(newest=lambda tp: self.fetch))
        app: Any = SimpleNamespace(
            tables=SimpleNamespace(parts={INBOX: self.part}), consumer=consumer, idle_step=lambda part: part, clock_ahead=0.0
        )
        self.app = app
        stage: Any = SimpleNamespace(
            idle=lambda step, now_us: self.ticks.append(now_us / 1_000_000 - WALL), future_us=FUTURE_S * 1_000_000
        )
        brokers: Any = SimpleNamespace(host_is_ahead=self.compared)
        self.clock = IdleClock(app, stage, brokers)

    def compared(self) -> float:
        if self.ahead is None:
            raise ClockUnknown("no broker answers")
        return self.ahead

    def passes(self, seconds: float) -> None:
        self.monotonic, self.wall = self.monotonic + seconds, self.wall + seconds

    def answered(self, asked: float, offset: int = 7, empty: bool = True) -> None:
        """The broker's newest answer; `asked`: how many seconds ago."""
        self.fetch: Fetch | None = Fetch(offset, offset, self.monotonic - asked, self.monotonic, empty)

    def look(self) -> list[float]:
        self.ticks.clear()
        self.clock.look()
        return [round(at, 3) for at in self.ticks]


def test_time_moves_as_far_as_the_broker_has_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(monkeypatch)
    assert plant.look() == [], "no answer yet"
    plant.passes(10)
    plant.answered(asked=0.5)
    assert plant.look() == [0.0], "what lies between two looks belongs to the next one"
    plant.passes(0.2)
    plant.answered(asked=0.1)
    assert plant.look() == [10.0]


def test_an_answer_of_any_age_moves_no_further_than_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records may lie behind it for seconds under load: ticks overtook them by up to 11.6 s."""
    plant = Plant(monkeypatch)
    plant.look()
    plant.answered(asked=0.0)
    for _ in range(60):
        plant.passes(0.2)
        assert set(plant.look()) <= {0.0}


@pytest.mark.parametrize(
    ("offset", "empty"), [pytest.param(6, True, id="of an earlier position"), pytest.param(7, False, id="it found something")]
)
def test_an_answer_that_is_none(offset: int, empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(monkeypatch)
    plant.look()
    plant.passes(1)
    plant.answered(asked=0.5, offset=offset, empty=empty)
    assert plant.look() == []


def test_a_wall_clock_that_jumps_runs_twice_as_fast_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(monkeypatch)
    plant.look()
    plant.wall += 8 * 86_400
    for _ in range(5):
        plant.passes(1)
        plant.answered(asked=0)
        plant.clock.look()
    assert max(plant.ticks) <= 10.0


@pytest.mark.parametrize("ahead", [None, 8 * 86_400.0, -(FUTURE_S + 1.0)], ids=["not known", "8 days ahead", "behind"])
def test_time_waits_until_host_and_brokers_agree(
    ahead: float | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plant = Plant(monkeypatch)
    plant.app.clock_ahead = None

    def moved() -> list[float]:
        plant.passes(1)
        plant.answered(asked=0.0)
        return plant.look()

    assert moved() == [], "nobody has compared"
    plant.ahead = ahead
    asyncio.run(plant.clock.compare())
    assert moved() == []
    assert ("CLOCKS_DIFFER" in caplog.text) is (ahead is not None)
    plant.ahead = float(FUTURE_S)
    asyncio.run(plant.clock.compare())
    assert moved() != []
    plant.ahead = None
    asyncio.run(plant.clock.compare())
    assert moved() != [], "a broker that does not answer once changes nothing"


@pytest.mark.parametrize(
    ("asked", "appended", "answered", "ahead"),
    [(10, 11, 12, 0), (10, 9, 12, 1), (10, 15, 12, -3), (10, 10, 10, 0)],
)
def test_the_way_to_the_broker_is_no_difference(asked: float, appended: float, answered: float, ahead: float) -> None:
    assert difference(asked, appended, answered) == ahead
