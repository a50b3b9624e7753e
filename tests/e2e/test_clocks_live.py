"""Orders of people about clocks, on a real Kafka with its registry, and a raw topic without append times."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from app.fatal import Exit
from schemas.records import ExceptionRecord, Tick, Total, UpstreamOrdered
from tests.e2e.live_plant import RAW, Installation, order, shots, until
from tests.e2e.test_start import SECOND, _installed, _two_sources

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]
STAGES = ("intake", "equipment", "lots", "orders")
OPS = "raw.live.ops"
DAY_US = 86_400_000_000


def counted(plant: Installation) -> int:
    """Pieces of the run, by the newest total."""
    totals = [one for one in plant.content("orders.inbox") if isinstance(one, Total) and one.kind in ("gross", "yield")]
    return max(totals, key=lambda one: one.inbox_offset).numerator if totals else 0


def test_a_plant_of_which_all_is_too_late_counts_again_after_a_repair(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """What a host that was nine days ahead left in the inboxes: its ticks."""
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    with plant.workers(*STAGES):
        plant.send(*order(), *shots((0, 100), (1, 105)))
        until(lambda: counted(plant) == 5, "five pieces")
        right = datetime.now(UTC)
        producer, codec = Producer(plant.admin.broker.client()), plant.admin.codec()
        for topic in ("equipment.inbox", "orders.inbox", "lots.inbox"):
            for partition in range(4):
                for number in range(4):
                    tick = Tick("LIVE", time.time_ns() // 1000 + 9 * DAY_US, f"intake/{RAW}/{number}")
                    producer.produce(f"{topic_prefix}{topic}", codec.encode(tick), key="LIVE", partition=partition)
        assert producer.flush(20) == 0

        def late() -> bool:
            plant.send(*shots((2, 110)))
            time.sleep(0.5)  # one record each half second until the wrong ticks are folded
            return any(isinstance(one, ExceptionRecord) and one.code == "TOO_LATE" for one in plant.content("exceptions"))

        until(late, "a reading that is too late")
        ordered = ["--to", right.isoformat(), "--who", "shift lead", "--why", "the host's clock was wrong"]
        repaired = plant.command("clock", "repair", *plant.where, *ordered)
        assert repaired.code == 0, repaired.said
        assert "LIVE: back to" in repaired.stdout
        letters = len(plant.content("exceptions"))
        plant.send(*shots((3, 117)))
        until(lambda: counted(plant) == 17, "what was made meanwhile")
        assert len(plant.content("exceptions")) - letters <= 1, "nothing is too late any more"


def test_a_person_sets_a_source_aside_and_takes_it_in_again(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """The second source has no topic yet: the plant has not begun, and waits for it."""
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = _two_sources(tmp_path)
    file = plant.config / "plant.yaml"
    ops = f"  ops: {{read: {{topic: {OPS}, format: replay}}}}\n"
    file.write_text(file.read_text(encoding="utf-8").replace("equipment:\n  P1:", f"{ops}equipment:\n  P1:"), encoding="utf-8")
    applied = plant.command("topics", "apply", *plant.where[:4], "--raw", OPS, "--replication", "1")
    assert applied.code == 0, applied.said
    processes = [plant.worker(stage) for stage in STAGES]
    found = [process.__enter__() for process in processes]
    try:
        plant.send(*order(), *shots((0, 100), (1, 105)))
        until(lambda: any(type(one).__name__ == "CounterFrame" for one in plant.content("equipment.inbox")), "readings")
        until(lambda: all(plant.reasons(stage) == [] for stage in STAGES[1:]), "ready stages")
        assert counted(plant) == 0
        said = ["--who", "shift lead", "--why", "no scales yet"]
        excluded = plant.command("upstream", "exclude", "scales", *said, *plant.where)
        assert excluded.code == 0, excluded.said
        until(lambda: counted(plant) == 5, "the plant goes on without it")
        included = plant.command("upstream", "include", "scales", *said, *plant.where)
        assert included.code == 0, included.said

        def orders() -> list[bool]:
            records = [one for one in plant.content("equipment.inbox") if isinstance(one, UpstreamOrdered)]
            return [one.excluded for one in sorted(records, key=lambda one: one.occurred_at) if one.topic == SECOND]

        until(lambda: set(orders()) == {True, False}, "both orders, at every partition")
        assert orders() == [True] * 4 + [False] * 4
        unknown = plant.command("upstream", "exclude", "nobody", *said, *plant.where)
        assert unknown.code == 2 and "scales" in unknown.said
    finally:
        for one in found:
            one.send_signal(signal.SIGTERM)
        for process in processes:
            process.__exit__(None, None, None)


def test_a_raw_topic_that_does_not_tell_when_records_were_appended_ends_its_intake(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    entry = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, f"{topic_prefix}{RAW}", incremental_configs=[entry])
    admin = plant.admin.broker.admin()
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(20)
    with plant.worker("intake") as process:
        assert process.wait(60) == Exit.APPEND_TIME_MISSING
    assert f"{topic_prefix}{RAW}" in plant.log("intake") and "APPEND_TIME_MISSING" in plant.log("intake")
