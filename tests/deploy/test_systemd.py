"""The systemd units: what they start is what the program understands, with the bounds and the rights that they should have."""

import re
import shlex
from pathlib import Path

import pytest

from app.cli.exits import USAGE
from app.topology import STAGES
from tests.docs import commands
from tests.platform.maven import ROOT

UNITS = ROOT / "deploy" / "systemd"
EXAMPLES = sorted(path.stem for path in (UNITS / "examples").glob("*.env") if path.stem != "lineledger")
CLOSED = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "User=lineledger",
)


def settings(name: str) -> list[str]:
    lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "["))]


def values(name: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in settings(f"examples/{name}.env"))


def started(unit: str, environ: dict[str, str], instance: str = "") -> list[list[str]]:
    """The arguments of each `lineledger` that the unit starts, filled in as systemd does: $WORDS is split, ${WORD} is one."""
    found = []
    for line in settings(unit):
        if line.startswith("ExecStart=/opt/lineledger/bin/lineledger "):
            words = line.partition(" ")[2].replace("%i", instance)
            command = re.sub(r"\$\{(\w+)\}", lambda name: shlex.quote(environ[name[1]]), words)
            found.append(shlex.split(re.sub(r"\$(\w+)", lambda name: environ[name[1]], command)))
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_program_understands_what_it_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "client.properties"
    client.touch()
    installation = values("lineledger") | {"LINELEDGER_CLIENT_CONFIG": str(client)}
    for variable, value in installation.items():
        monkeypatch.setenv(variable, value)
    told = [*started("lineledger@.service", values(name), name), *started("lineledger-setup.service", installation)]
    assert len(told) == 3
    for arguments in told:
        assert commands.wrong_with(commands.command_line(), arguments, complete=True) == ""
    assert told[0][told[0].index("--metrics-port") + 1] == values(name)["PORT"]
    assert ("--config" in told[0]) == ("intake" in told[0])


def test_every_stage_has_a_process_and_a_port() -> None:
    apart = [name for name in EXAMPLES if name != "plant"]
    assert sorted(values(name)["STAGES"] for name in apart) == sorted(STAGES)
    assert values("plant")["STAGES"].split() == list(STAGES)
    assert len({values(name)["PORT"] for name in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("unit", ["lineledger@.service", "lineledger-setup.service"])
def test_a_process_has_no_more_rights_than_it_needs(unit: str) -> None:
    assert [line for line in CLOSED if line not in settings(unit)] == []


def test_a_worker_comes_back_and_has_time_to_stop() -> None:
    unit = settings("lineledger@.service")
    assert {"Restart=always", "StartLimitIntervalSec=0", "KillMode=mixed"} <= set(unit)
    assert [line for line in unit if line.startswith("RestartPreventExitStatus=")] == [f"RestartPreventExitStatus={USAGE}"]
    (stop,) = [int(line.partition("=")[2]) for line in unit if line.startswith("TimeoutStopSec=")]
    assert stop > 120, "the program ends itself after 120 s (docs/guarantees.md, Not given)"
