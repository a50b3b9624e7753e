"""A source that is expected to speak of a machine and does not: the report of a run says so, with the machine and since when;
what it missed counts when it comes, and then nobody is told any more."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import lineledger
from tests.e2e.exported import rows

PLANT = """
plant: {id: P, zone: UTC, quantity_from: counters}
calendar: {shifts: {early: "06:00", late: "14:00", night: "22:00"}}
sources:
  gateway:
    files: ["gateway*.jsonl"]
    read: {format: json, event_id: id, occurred_at: at, received_at: got, equipment: m}
    EXPECT
    events:
      - {when: {t: count}, emit: CounterReading, counter: =parts, value: v}
  mes:
    files: ["mes*.jsonl"]
    read: {format: json, event_id: id, occurred_at: at, received_at: got, equipment: m}
    events:
      - when: {t: order}
        emit: OrderReleased
        order: o
        change_number: =1
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}, batch_managed: =false}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - {when: {t: start}, emit: RunStarted, run: r, order: o, operation: =10, outputs: [{material: =M, factor: =1}]}
      - {when: {t: state}, emit: EquipmentStateChanged, state: =running}
equipment: {"*": {counters: {parts: {}}}}
"""
RULES = "post: [{kind: yield, when: [shift_end]}]\norder: {over_delivery: unlimited}\n"


def at(minute: int) -> str:
    day, minute = divmod(minute + 7 * 60, 24 * 60)
    return f"2026-11-{20 + day:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z"


class Shop:
    def __init__(self, folder: Path, expect: str) -> None:
        self.folder, self.number = folder, 0
        (folder / "config").mkdir()
        (folder / "config" / "plant.yaml").write_text(PLANT.replace("EXPECT", expect and f"expect: {expect}"), encoding="utf-8")
        (folder / "config" / "rules.yaml").write_text(RULES, encoding="utf-8")
        for machine in ("SAW1", "SAW2"):
            self.tell("mes", 0, machine, t="order", o=f"O-{machine}", n="9000")
            self.tell("mes", 1, machine, t="start", r=f"R-{machine}", o=f"O-{machine}")
            for minute in range(2, 20, 3):
                self.count(minute, machine, 100 + minute)
        for minute in range(5, 180, 5):  # the MES goes on
            self.tell("mes", minute, "SAW1", t="state")
            self.tell("mes", minute, "SAW2", t="state")

    def tell(self, source: str, minute: int, machine: str, got: int | None = None, **fields: str) -> None:
        self.number += 1
        times = {"at": at(minute), "got": at(minute if got is None else got)}
        line = {"id": f"e{self.number}", "m": machine, **times, **fields}
        with (self.folder / f"{source}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def count(self, minute: int, machine: str, shown: int, got: int | None = None) -> None:
        self.tell("gateway", minute, machine, got, t="count", v=str(shown))

    def run(self, *options: str) -> Any:
        files = [part for name in ("mes", "gateway") for part in ("--input", self.folder / f"{name}.jsonl")]
        out = self.folder / "out"
        outcome = lineledger("run", "--config", self.folder / "config", *files, "--erp", "none", "--out", out, *options)
        assert outcome.code == 0, outcome.said
        return outcome

    def posted(self) -> int:
        return sum(int(row["quantity"]) for row in rows(self.folder / "out" / "postings.csv") if row["kind"] == "yield")


def silent(report: Any) -> list[tuple[str, str, str]]:
    return [(need["what"], need["owner"], need["command"]) for need in report["needs"] if "silent" in need["what"]]


@pytest.mark.parametrize("expect", ["{every: 10 min}", "{every: 10 min, while: always}"])
def test_the_report_names_a_silent_source_its_machines_and_since_when(tmp_path: Path, expect: str) -> None:
    shop = Shop(tmp_path, expect)
    said = shop.run().stdout
    (line,) = [line for line in said.splitlines() if "silent" in line and "source" in line and "silences" not in line]
    assert "source gateway is silent: nothing of SAW1 and 1 more" in line
    assert "20 Nov 07:17" in line and "plant IT" in line, line
    assert "2 silences of sources" in said
    report = shop.run("--afresh", "--json").json
    ((what, owner, command),) = silent(report)
    assert (what, owner) == ("source gateway is silent: nothing of SAW1 and 1 more", "plant IT")
    told = lineledger(*command.removeprefix("lineledger ").split(), "--out", tmp_path / "out")
    assert told.code == 0, told.said
    assert shop.posted() == 2 * 15


def test_one_machine_that_is_heard_is_not_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{every: 10 min}")
    for minute in range(20, 180, 3):
        shop.count(minute, "SAW1", 100 + minute)
    ((what, _, _),) = silent(shop.run("--json").json)
    assert what == "source gateway is silent: nothing of SAW2"


def test_what_it_missed_counts_when_it_comes_and_the_alarm_is_over(tmp_path: Path) -> None:
    """A spool of ten days: without the expectation all of it would be too late."""
    shop, days = Shop(tmp_path, "{every: 10 min}"), 10 * 24 * 60
    for minute in range(200, days, 600):
        shop.tell("mes", minute, "SAW1", t="state")
    for minute in (30, 700, days - 60, days):
        for machine in ("SAW1", "SAW2"):
            shop.count(minute, machine, 100 + minute, got=days)
    outcome = shop.run("--json")
    assert silent(outcome.json) == []
    assert shop.posted() == 2 * (days - 2)


def test_without_an_expectation_silence_is_nobodys_business(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "")
    said = shop.run().stdout
    assert "silent" not in said and "silences" not in said
