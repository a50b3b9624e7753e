"""History from raw topics: everything since a moment, in the broker's order, and nothing of it is consumed."""

import json
from fractions import Fraction

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from app.kafka.broker import Broker
from app.simulation.replay import Floor, Ledger, replay
from app.simulation.topics import recorded
from schemas.configuration import Configuration

pytestmark = pytest.mark.kafka
START = 1_795_156_200_000
"""2026-11-20T06:30:00Z, in milliseconds."""
ORDER = {"items": [{"item": "1", "material": "4711", "quantity": "1000"}], "operations": [{"operation": "10", "receipt": True}]}
PLANT = {
    "plant": {"id": "P", "zone": "UTC"},
    "calendar": {"shifts": {"early": "06:00", "late": "14:00", "night": "22:00"}},
    "equipment": {"M1": {"counters": {"shots": {}}}},
    "sources": {
        "presses": {
            "read": {"topic": "raw.p", "format": "json", "event_id": "id", "occurred_at": "ts", "equipment": "=M1"},
            "events": [
                {"when": {"type": "cycle"}, "emit": "CounterReading", "counter": "=shots", "value": "n"},
                {
                    **{"when": {"type": "start"}, "emit": "RunStarted", "run": "=J1", "order": "=O1", "operation": "=10"},
                    "outputs": [{"material": "=4711", "lot": "=L1", "factor": "=1"}],
                },
            ],
        },
        "erp": {
            "read": {"topic": "raw.erp", "format": "json", "event_id": "id", "occurred_at": "ts"},
            "events": [
                {
                    **{"when": {}, "emit": "OrderReleased", "order": "order"},
                    "items": {
                        "each": "items",
                        "item": "item",
                        "material": "material",
                        "quantity": {"path": "quantity", "decimals": 0, "unit": "=PC"},
                    },
                    "operations": {"each": "operations", "operation": "operation", "receipt": "receipt"},
                }
            ],
        },
    },
}


@pytest.mark.parametrize(
    ("since_minutes", "count", "pieces"), [(-10, 8, 5), (3, 5, 0)], ids=["from before the first", "from a moment on"]
)
def test_a_simulation_reads_the_raw_topics(
    kafka_bootstrap: str, topic_prefix: str, since_minutes: int, count: int, pieces: int
) -> None:
    """Five pieces, one a minute; who begins after the start of the run does not know whose pieces they are."""
    configuration = Configuration.from_mappings(PLANT, {}, {"erp": {"adapter": "sim"}})
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(f"{topic_prefix}{name}", 2, 1) for name in ("raw.p", "raw.erp")]).values():
        made.result(30)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})

    def send(topic: str, minute: int, **record: object) -> None:
        stamp = f"2026-11-20T06:{30 + minute}:00Z"
        value = json.dumps({"id": f"{topic}{minute}", "ts": stamp, **record}).encode()
        producer.produce(f"{topic_prefix}{topic}", value, partition=minute % 2, timestamp=START + minute * 60_000)

    send("raw.erp", 3, order="O1", **ORDER)
    send("raw.p", 0, type="cycle", n=100)
    send("raw.p", 1, type="start")
    for minute in range(2, 7):
        send("raw.p", minute, type="cycle", n=99 + minute)
    assert producer.flush(30) == 0
    floor = Floor(configuration, b"")
    ledger = Ledger(configuration, floor.codec)
    since_us = (START + since_minutes * 60_000) * 1000
    assert replay(recorded(Broker(kafka_bootstrap), topic_prefix, configuration.plant, b"", since_us), floor, [ledger]) == count
    yields = [Fraction(row.recorded_numerator, row.recorded_denominator) for row in ledger.accounts() if row.kind == "yield"]
    assert sum(yields, Fraction(0)) == pieces
    groups = admin.list_consumer_groups().result(30)
    assert not [group for group in groups.valid if group.group_id.startswith("lineledger-simulation")], "nothing is committed"
