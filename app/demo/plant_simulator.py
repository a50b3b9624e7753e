"""Generates the demo shift: raw files per source, and the truth about what happened."""

from pathlib import Path

from app.demo.dirt import soil
from app.demo.erp_messages import erp_lines
from app.demo.floor import Machine, build
from app.demo.lines import Line, write
from app.demo.orders import plan
from app.demo.people import papers
from app.demo.press_messages import CANARY_NAME, Press
from app.demo.shift import iso
from app.demo.station_messages import Station
from app.demo.terminal_messages import Terminals, quality_lines
from app.demo.truth import Truth, tell

FILES = {
    "erp_orders": "erp_orders.jsonl",
    "presses": "presses.jsonl.gz",
    "stations": "stations.jsonl.gz",
    "terminals": "terminals.jsonl",
    "quality": "quality.jsonl",
}
"""Source of plant.yaml -> file name."""


def generate(directory: Path, seed: int = 1, scale: float = 1.0) -> Truth:
    """Write one shift into `directory` (made if need be) and return what must come out of it.

    `scale`: how often machines report, 1.0 gives about 120,000 raw records. The floor itself does not change with it:
    the same seed has the same accounts at every scale. Same seed and scale: the same bytes. Within a file received_at
    never falls.
    """
    if scale <= 0:
        raise ValueError("scale is above 0")
    intended = plan()
    machines = build(intended, seed)
    written = papers(machines, seed)
    truth = tell(machines, written, intended.orders)
    lines = {
        "erp_orders": erp_lines(intended, truth.accounts),
        "presses": _machine_lines(machines, "press", seed, scale),
        "stations": _machine_lines(machines, "station", seed, scale),
        "terminals": list(Terminals().lines(intended, written)),
        "quality": quality_lines(written, intended),
    }
    truth.planted = soil(lines, seed)
    truth.planted.resets = sum(len(machine.resets) + len(machine.meter_resets) for machine in machines)
    truth.planted.placeholders = sum(len(machine.zeros) for machine in machines)
    truth.planted.roll_overs = sum(_rolled_over(machine) for machine in machines)
    truth.completed = {order: iso(at // 1000 * 1000) for at, order, operation in written.completed if not operation}
    machine_lines = [*lines["presses"], *lines["stations"]]
    truth.readings = sum(line.tag in _READINGS for line in machine_lines)
    canaries = [line.tag.partition(":")[2] for line in machine_lines if line.tag.startswith("canary:")]
    truth.process_values = sum(line.tag == "process_value" for line in machine_lines) + len(canaries)
    truth.canaries = (CANARY_NAME, *canaries)
    directory.mkdir(parents=True, exist_ok=True)
    truth.files = {source: directory / name for source, name in FILES.items()}
    truth.records = {source: write(truth.files[source], lines[source]) for source in FILES}
    return truth


_READINGS = frozenset({"reading", "delayed", "zero", "again", "contradiction"})


def _machine_lines(machines: list[Machine], kind: str, seed: int, scale: float) -> list[Line]:
    sender = Press if kind == "press" else Station
    return [line for machine in machines if machine.kind == kind for line in sender(machine, seed, 1 / scale).lines()]


def _rolled_over(machine: Machine) -> bool:
    return bool(machine.modulus) and machine.base + len(machine.counted()) >= machine.modulus
