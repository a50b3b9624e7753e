"""systemd itself reads the units: no unknown setting, and few rights."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.platform.maven import ROOT

UNITS = ROOT / "deploy" / "systemd"
MOST_EXPOSED = 2.5
"""Of 10, as `systemd-analyze security` counts."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units for an instance `plant`, with a command that this machine has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for unit in UNITS.glob("lineledger*"):
        text = unit.read_text(encoding="utf-8").replace("/opt/lineledger/bin/lineledger", "/bin/true")
        (tmp_path / unit.name.replace("@.", "@plant.")).write_text(text, encoding="utf-8")
    return tmp_path


def analysed(*arguments: str | Path) -> str:
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_knows_every_setting(units: Path) -> None:
    assert analysed("verify", *sorted(units.iterdir())) == ""


def test_a_worker_is_closed(units: Path) -> None:
    said = analysed("security", "--offline=yes", units / "lineledger@plant.service")
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert level is not None and float(level[1]) <= MOST_EXPOSED, said[-300:]
