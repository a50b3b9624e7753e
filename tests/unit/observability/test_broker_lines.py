"""However many clients try again: one line a second, and it says how many there were."""

import logging

import pytest

from app.observability.broker_lines import BrokerLines


def said(name: str, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, "Unable connect to node", (), None)


def test_one_line_a_second_of_all_kafka_clients_together() -> None:
    now = [100.0]
    lines = BrokerLines(lambda: now[0])
    passed = []
    for _ in range(100):
        for name in ("aiokafka", "aiokafka.consumer.fetcher", "kafka", "librdkafka", "faust.transport.drivers.aiokafka"):
            record = said(name)
            passed += [record] if lines.filter(record) else []
        now[0] += 0.0625
    assert len(passed) == 7
    assert getattr(passed[1], "detail", "") == "79 further lines of Kafka clients were left out"


@pytest.mark.parametrize(
    "record",
    [said("aiokafka", logging.INFO), said("delivery"), said("lineledger", logging.CRITICAL), said("start", logging.WARNING)],
)
def test_everything_else_is_told(record: logging.LogRecord) -> None:
    lines = BrokerLines()
    assert lines.filter(said("aiokafka"))
    assert all(lines.filter(record) for _ in range(3))
