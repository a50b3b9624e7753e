"""The topic of configurations is read to its end, or not at all: half of it would look like all of it."""

import uuid
from typing import Any

import pytest
from confluent_kafka import Consumer

from app.fatal import Exit
from app.kafka import configurations
from app.kafka.broker import Broker, BrokerUnavailable
from app.kafka.configurations import Configurations
from app.kafka.embedded import EmbeddedBroker
from schemas.codec import Codec
from tests.unit.tables.floor_bench import configuration


class Stalls(Consumer):
    """Hears nothing more after so many records."""

    heard = 1

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.left = self.heard

    def poll(self, timeout: float = 0) -> Any:
        if not self.left:
            return None
        message = super().poll(timeout)
        self.left -= message is not None and not message.error()
        return message


@pytest.fixture
def stored() -> Any:
    with EmbeddedBroker() as broker:
        prefix = f"t{uuid.uuid4().hex}."
        broker.touch([prefix + configurations.TOPIC])
        found = Configurations(Broker(broker.bootstrap), Codec(), prefix)
        for step in ("60 s", "61 s", "62 s"):
            found.publish(configuration({"clock": {"step": step}}))
        yield lambda: Configurations(Broker(broker.bootstrap), Codec(), prefix)


def test_what_is_there_is_read(stored: Any) -> None:
    assert len(stored().all()) == 3


@pytest.mark.parametrize("ask", ["all", "epochs"])
def test_half_of_the_topic_is_nothing(stored: Any, monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    monkeypatch.setattr(configurations, "Consumer", Stalls)
    with pytest.raises(BrokerUnavailable, match="not read to its end") as refused:
        getattr(stored(), ask)()
    assert refused.value.code == "BROKER_UNAVAILABLE"


def test_nobody_publishes_by_half_of_the_topic(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configurations, "Consumer", Stalls)
    with pytest.raises(BrokerUnavailable):
        stored().publish(configuration({"clock": {"step": "63 s"}}))


@pytest.mark.parametrize(("stalls", "code"), [(True, Exit.BROKER_TIMEOUT), (False, Exit.CONFIG_MISSING)])
def test_a_fold_that_waits_ends_with_its_cause(stored: Any, monkeypatch: pytest.MonkeyPatch, stalls: bool, code: Exit) -> None:
    class Ended(Exception):
        pass

    def die(why: Exit, detail: str) -> None:
        raise Ended(why)

    monkeypatch.setattr(configurations, "die", die)
    monkeypatch.setattr(configurations, "WAIT_SECONDS", 0.5)
    if stalls:
        monkeypatch.setattr(configurations, "Consumer", Stalls)
    with pytest.raises(Ended) as ended:
        stored().get("nobody stored it")
    assert ended.value.args == (code,)
