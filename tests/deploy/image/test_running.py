"""The image runs as a cluster runs it: another user, a root that cannot be written, no capability, no shell."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.platform.maven import ROOT
from tests.platform.process import free_ports
from tests.platform.runc import Unpacked

LIVE = ROOT / "tests" / "e2e" / "live"
PLANT = "/etc/lineledger/plants/live"
STAGES = ("equipment", "lots", "orders")
READY_S, STOP_S = 120.0, 60.0


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """The plant's files as Kubernetes mounts a ConfigMap: links to a folder that is exchanged as a whole."""
    version = tmp_path / "plant" / "..2026_01_01"
    shutil.copytree(LIVE, version)
    (tmp_path / "plant" / "..data").symlink_to(version.name)
    for file in version.glob("*.yaml"):
        (tmp_path / "plant" / file.name).symlink_to(f"..data/{file.name}")
    for folder in (tmp_path, tmp_path / "plant", version):
        folder.chmod(0o755)
    return tmp_path / "plant"


def test_a_configuration_is_checked(unpacked: Unpacked, mounted: Path) -> None:
    done = unpacked.run("check", ["config", "check", "--config", PLANT, "--json"], folders={mounted: PLANT})
    assert done.returncode == 0, done.stderr


def test_it_is_the_version_that_it_says(unpacked: Unpacked) -> None:
    done = unpacked.run("version", ["--version"])
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version is not None and (done.returncode, done.stdout.strip()) == (0, version[1]), done.stderr


def test_a_worker_gets_ready_on_a_real_kafka_and_stops_when_it_is_told(
    unpacked: Unpacked, mounted: Path, kafka_bootstrap: str, registry_url: str, topic_prefix: str
) -> None:
    (port,) = free_ports(1)
    environ = {
        "LINELEDGER_BOOTSTRAP": kafka_bootstrap,
        "LINELEDGER_REGISTRY": registry_url,
        "LINELEDGER_PREFIX": topic_prefix,
        "LINELEDGER_INSTANCE": "worker-0",
    }
    plant = {mounted: PLANT}
    for step in (["topics", "apply", "--replication=1", f"--config={PLANT}"], ["schemas", "apply"]):
        done = unpacked.run(step[0], step, environ=environ, folders=plant)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
    arguments = ["worker", *STAGES, "--datadir=/var/lib/lineledger", f"--metrics-port={port}"]
    with unpacked.started("worker", arguments, environ=environ) as process:
        try:
            _until_ready(port, process)
        except AssertionError as late:
            raise AssertionError(unpacked.said("worker", "err")[-3000:]) from late
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=STOP_S) == 0, unpacked.said("worker", "err")[-3000:]
        print(f"stopped {time.monotonic() - told:.1f} s after SIGTERM")
    assert "Traceback" not in unpacked.said("worker", "err") + unpacked.said("worker")


def _until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline, said = time.monotonic() + READY_S, "no answer yet"
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except urllib.error.HTTPError as refused:
            with refused:
                said = json.load(refused)["reasons"]
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise AssertionError(f"not ready within {READY_S} s: {said}")
