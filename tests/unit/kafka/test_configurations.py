"""The topic of configurations is read to its end, or not at all: half of it would look like all of it."""

import uuid
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError

from app.fatal import Exit
from app.kafka import configurations
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from app.kafka.configurations import Configurations
from app.kafka.embedded import EmbeddedBroker
from schemas.codec import Codec
from schemas.codes import entries_of
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
    if stalls:
        monkeypatch.setattr(configurations, "Consumer", Stalls)
    assert ended_with(stored, monkeypatch) == code


def ended_with(stored: Any, monkeypatch: pytest.MonkeyPatch) -> Exit:
    """The exit code of a process whose fold waits for a configuration that nobody stored."""

    class Ended(Exception):
        pass

    def die(why: Exit, detail: str) -> None:
        raise Ended(why)

    monkeypatch.setattr(configurations, "die", die)
    monkeypatch.setattr(configurations, "WAIT_SECONDS", 0.5)
    with pytest.raises(Ended) as ended:
        stored().get("nobody stored it")
    (code,) = ended.value.args
    assert isinstance(code, Exit)
    return code


def answering(monkeypatch: pytest.MonkeyPatch, error: int, times: int) -> None:
    """The broker's first answers about the topic are this error, as they are right after a start, or without rights."""

    class Refuses(Consumer):
        left = times

        def list_topics(self, *args: Any, **named: Any) -> Any:
            metadata = super().list_topics(*args, **named)
            if Refuses.left:
                Refuses.left -= 1
                for topic in metadata.topics.values():
                    topic.error, topic.partitions = KafkaError(error), {}
            return metadata

    monkeypatch.setattr(configurations, "READ_SECONDS", 0.5)
    monkeypatch.setattr(configurations, "Consumer", Refuses)


ERRORS = [
    (KafkaError.TOPIC_AUTHORIZATION_FAILED, "BROKER_AUTH"),
    (KafkaError.LEADER_NOT_AVAILABLE, "BROKER_UNAVAILABLE"),
    (KafkaError.UNKNOWN_TOPIC_OR_PART, "TOPIC_MISSING"),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
@pytest.mark.parametrize("ask", ["all", "epochs", "publish"])
def test_a_topic_of_which_the_broker_says_nothing_is_not_empty(
    stored: Any, monkeypatch: pytest.MonkeyPatch, error: int, code: str, ask: str
) -> None:
    answering(monkeypatch, error, 1000)
    with pytest.raises(BrokerUnavailable if code != "BROKER_AUTH" else BrokerRefused) as refused:
        getattr(stored(), ask)(*([configuration({"clock": {"step": "63 s"}})] if ask == "publish" else []))
    assert refused.value.code == code
    assert entries_of(code), "in the register"


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_answer_that_comes_a_moment_later_is_waited_for(
    stored: Any, monkeypatch: pytest.MonkeyPatch, error: int, code: str
) -> None:
    answering(monkeypatch, error, 2)
    assert len(stored().all()) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [(KafkaError.TOPIC_AUTHORIZATION_FAILED, Exit.BROKER_AUTH), (KafkaError.LEADER_NOT_AVAILABLE, Exit.BROKER_TIMEOUT)],
)
def test_a_fold_that_may_not_read_ends_with_that(stored: Any, monkeypatch: pytest.MonkeyPatch, error: int, code: Exit) -> None:
    answering(monkeypatch, error, 1000)
    assert ended_with(stored, monkeypatch) == code
