"""Outcomes reach the log, or somebody is told that they did not. On librdkafka's in-process cluster."""

import time

import pytest

from app.erp import outcomes
from app.erp.outcomes import OutcomeProducer
from schemas.codec import Codec
from schemas.records import TimerFired


def test_what_was_sent_is_delivered_when_the_producer_is_closed() -> None:
    lost: list[str] = []
    producer = OutcomeProducer({"test.mock.num.brokers": 1}, Codec(), "delivery.inbox", 0, "erp", lost.append)
    delivered: list[tuple[str, int, bytes]] = []
    told = producer._delivered

    def delivery(error: object, message: object) -> None:
        delivered.append((message.topic(), message.partition(), message.key()))  # type: ignore[attr-defined]
        told(error, message)

    producer._delivered = delivery  # type: ignore[method-assign]
    for n in range(3):
        producer.send(TimerFired(f"P{n}", 1, "retry"))
    producer.close()
    assert lost == []
    assert delivered == [("delivery.inbox", 0, b"erp")] * 3


def test_what_cannot_be_delivered_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "DELIVERY_TIMEOUT_MS", 500)
    lost: list[str] = []
    nobody = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    producer = OutcomeProducer(nobody, Codec(), "delivery.inbox", 0, "erp", lost.append)
    producer.send(TimerFired("P1", 1, "retry"))
    producer.close()
    assert lost


def test_a_full_queue_does_not_hold_up_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_QUEUED", 3)
    monkeypatch.setattr(outcomes, "DELIVERY_TIMEOUT_MS", 2_000)
    lost: list[str] = []
    nobody = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    producer = OutcomeProducer(nobody, Codec(), "delivery.inbox", 0, "erp", lost.append)
    began = time.monotonic()
    for n in range(6):
        producer.send(TimerFired(f"P{n}", 1, "retry"))
    assert time.monotonic() - began < 1, "the loop that sends has heartbeats to give"
    producer.close()
    assert lost


def test_what_found_the_queue_full_is_delivered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_QUEUED", 100)
    lost: list[str] = []
    producer = OutcomeProducer({"test.mock.num.brokers": 1}, Codec(), "delivery.inbox", 0, "erp", lost.append)
    delivered: list[bytes] = []
    monkeypatch.setattr(producer, "_delivered", lambda error, message: delivered.append(message.value()))
    sent = [TimerFired(f"P{n}", 1, "retry") for n in range(190)]
    for record in sent:
        producer.send(record)
    producer.close()
    assert lost == []
    assert delivered == [Codec().encode(record) for record in sent]
