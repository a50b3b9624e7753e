"""The example subscriber: what it prints is what stands in the public topics."""

import json
import os
import subprocess
import sys
from pathlib import Path

from confluent_kafka import Producer

from app.kafka.embedded import EmbeddedBroker
from schemas.codec import Codec
from schemas.records import Kpi, OrderState

ROOT = Path(__file__).parents[2]
STATE = OrderState(
    plant="P", order="O1", status="released", acknowledged=True, started=True, completed=False, handed_over=False, as_of=5,
    released=True,
)  # fmt: skip
FIGURE = Kpi("P", "wip", "O1|10", -3, 2, "PC", 7)


def test_the_example_prints_states_and_figures() -> None:
    codec = Codec()
    with EmbeddedBroker() as broker:
        broker.touch(["x.orders.state", "x.production.kpis"])
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce("x.orders.state", codec.encode(STATE), b"P|O1")
        producer.produce("x.production.kpis", codec.encode(FIGURE), b"P|wip|O1|10")
        assert producer.flush(10) == 0
        command = [
            sys.executable,
            "deploy/examples/subscriber.py",
            "--bootstrap",
            broker.bootstrap,
            "--prefix",
            "x.",
            "--until-end",
        ]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {line.pop("type"): line for line in lines}
    assert found["OrderState"] == json.loads(json.dumps(STATE.to_avro(), default=str))
    assert (found["Kpi"]["numerator"], found["Kpi"]["denominator"], found["Kpi"]["subject"]) == (-3, 2, "O1|10")
