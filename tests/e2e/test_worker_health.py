"""What real workers say of themselves: a healthy one writes no error and shows only what it owns, a hung one is not alive."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.hanging_worker import HANGS_AT
from tests.e2e.test_live import CONFIG, RAW, ready, send, until
from tests.platform.process import free_ports

ALERTS = PROJECT / "deploy" / "prometheus" / "alerts.yaml"
HURRY = {"BROKER_COMMIT_LIVELOCK_SOFT_TIMEOUT": "8", "STREAM_PROCESSING_TIMEOUT": "8"}
"""Faust looks for stuck partitions every 2.5 s; here what would be an error after 5 minutes is one after 8 s."""
OBSERVED_S = 18.0


@contextmanager
def worker(
    stages: tuple[str, ...], port: int, where: list[str], environ: dict[str, str], log: Path, module: str = "app.cli.main"
) -> Iterator[Path]:
    config = ["--config", str(CONFIG)] if {"intake", "delivery"} & set(stages) else []
    command = [sys.executable, "-m", module, "worker", *stages, *config, *where, "--metrics-port", str(port)]
    command += ["--datadir", str(log.with_suffix(".data")), "--instance", log.stem]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environ}, stdout=out, stderr=out)
    try:
        yield log
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as failed:
        with failed:
            return failed.code, failed.read().decode()


def shown(port: int, figure: str, stage: str) -> set[str]:
    """Partitions of the stage for which the worker shows the figure."""
    lines = [line for line in asked(port, "metrics")[1].splitlines() if line.startswith(figure) and f'stage="{stage}"' in line]
    return {found[1] for line in lines if (found := re.search(r'partition="(\d+)"', line))}


@pytest.fixture
def installation(kafka_bootstrap: str, registry_url: str, topic_prefix: str) -> list[str]:
    broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    applied = lineledger("topics", "apply", *broker, "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said
    registered = lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix)
    assert registered.code == 0, registered.said
    return [*broker, "--registry", registry_url]


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_a_healthy_worker_writes_no_error_and_shows_what_it_owns(
    kafka_bootstrap: str, topic_prefix: str, installation: list[str], tmp_path: Path
) -> None:
    first, second = free_ports(2)
    with SimulatorProcess(tmp_path / "erp") as erp, ExitStack() as running:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token, **HURRY}
        log = running.enter_context(worker(STAGES, first, installation, environ, tmp_path / "all.log"))
        until(lambda: ready(first), "all stages ready")
        assert asked(first, "live")[0] == 200
        order, start = {"type": "order", "po": "O1", "qty": 100, "id": "o"}, {"type": "start", "po": "O1", "run": "R1", "id": "r"}
        send(kafka_bootstrap, topic_prefix, order, start, {"type": "shots", "n": "many", "id": "bad"})
        end, seq = time.monotonic() + OBSERVED_S, 0
        while time.monotonic() < end:  # records flow all the time: the end of the log is ahead whenever Faust looks
            seq += 1
            send(kafka_bootstrap, topic_prefix, {"type": "shots", "n": seq, "seq": seq, "id": f"s{seq}"})
        until(lambda: bool(shown(first, "lineledger_clock_seconds", "delivery")), "the clock of delivery")
        assert [line for line in log.read_text(errors="replace").splitlines() if '"level": "error"' in line] == []

        text = asked(first, "metrics")[1]
        named = set(re.findall(r"lineledger_\w+", ALERTS.read_text(encoding="utf-8")))
        missing = {name for name in named if not re.search(rf"^(# TYPE )?{name}\b", text, re.MULTILINE)}
        assert missing == set(), "alerts name figures that exist"
        for label in set(re.findall(r"(?:by|on) \((.*?)\)", ALERTS.read_text(encoding="utf-8"))):
            assert all(f'{name}="' in text for name in label.split(", ") if name not in ("instance", "job")), label

        assert shown(first, "lineledger_lag", "equipment") == {"0", "1", "2", "3"}
        running.enter_context(worker(("equipment",), second, installation, environ, tmp_path / "second.log"))
        until(lambda: ready(second) and ready(first) and bool(shown(second, "lineledger_lag", "equipment")), "a rebalance")
        for figure in ("lineledger_lag", "lineledger_clock_seconds"):
            mine, theirs = shown(first, figure, "equipment"), shown(second, figure, "equipment")
            assert mine | theirs == {"0", "1", "2", "3"}, figure
            assert not mine & theirs, f"{figure} of what was lost is gone"


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_a_loop_that_hangs_in_a_fold_is_not_alive(
    kafka_bootstrap: str, topic_prefix: str, installation: list[str], tmp_path: Path
) -> None:
    intake, equipment = free_ports(2)
    with ExitStack() as running:
        running.enter_context(worker(("intake",), intake, installation, {}, tmp_path / "intake.log"))
        hanging = "tests.e2e.hanging_worker"
        running.enter_context(worker(("equipment",), equipment, installation, {}, tmp_path / "hanging.log", hanging))
        until(lambda: ready(intake) and ready(equipment), "two ready stages")
        assert asked(equipment, "live") == (200, '{"live": true, "hangs_for_seconds": 0}')
        send(kafka_bootstrap, topic_prefix, {"type": "start", "po": HANGS_AT.decode(), "run": "R1", "id": "r"})
        until(lambda: asked(equipment, "live")[0] == 503, "the hang to be seen")
        assert asked(equipment, "metrics")[0] == 200, "the metrics thread still answers"
        assert asked(intake, "live")[0] == 200
