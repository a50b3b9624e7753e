"""A count that nobody believes waits for a person, who decides through the log; the report names it, and each new start."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.command import lineledger
from tests.e2e.exported import beside, rows

PLANT = """
plant: {id: P, zone: UTC, quantity_from: counters}
sources:
  floor:
    files: ["floor*.jsonl"]
    read: {format: json, event_id: id, occurred_at: at, received_at: at, equipment: m}
    events:
      - when: {t: order}
        emit: OrderReleased
        order: o
        change_number: =1
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}, batch_managed: =false}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - {when: {t: start}, emit: RunStarted, run: r, order: o, operation: =10, outputs: [{material: =M, factor: =1}]}
      - {when: {t: count}, emit: CounterReading, counter: =parts, value: v}
  operators: {files: ["decided*.jsonl"], read: {format: replay}}
equipment: {SAW1: {counters: {parts: {at_most: 2 / min}}}}
"""
RULES = "post: [{kind: yield, when: [shift_end]}]\norder: {over_delivery: unlimited}\n"
COUNTS = (100, 104, 3, 5, 640, 644)


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (tmp_path / "config" / "rules.yaml").write_text(RULES, encoding="utf-8")
    lines = [{"t": "order", "o": "O1", "n": "100"}, {"t": "start", "r": "R1", "o": "O1"}]
    lines += [{"t": "count", "v": str(value)} for value in COUNTS]
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for n, line in enumerate(lines):
            at = f"2026-11-20T{7 + n // 6:02d}:{n % 6}0:00Z"
            file.write(json.dumps({"id": f"e{n}", "at": at, "m": "SAW1", **line}) + "\n")
    return tmp_path


def run(floor: Path, name: str, *inputs: str) -> tuple[Path, dict[str, object]]:
    out = floor / name
    files = [part for file in inputs for part in ("--input", str(floor / file))]
    outcome = lineledger("run", "--config", floor / "config", *files, "--erp", "none", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    return out, outcome.json


def posted(out: Path) -> int:
    return sum(int(row["quantity"]) for row in rows(out / "postings.csv") if row["kind"] == "yield")


def test_undecided_pieces_wait_and_a_decision_counts_or_drops_them(floor: Path) -> None:
    first, report = run(floor, "first", "floor.jsonl")
    assert posted(first) == 4 + 3 + 2
    (need,) = [need for need in report["needs"] if "undecided" in need["what"]]  # type: ignore[attr-defined]
    target = need["command"].split("'")[1]
    assert need["what"].startswith("639 PC undecided SAW1 parts")
    (waiting,) = [row for row in rows(beside(first / "postings.csv")) if row["code"] == "COUNT_UNDECIDED"]
    assert (waiting["quantity"], waiting["status"]) == ("639", "undecided")
    assert waiting["reason"] == f"since {target.split('|')[2]}"
    (fell,) = report["falls"]  # type: ignore[misc]
    assert (fell["equipment"], fell["was"], fell["quantity"]) == ("SAW1", "reset", "3")

    told = ("--who", "A. Person", "--why", "the display was read", "--append", floor / "decided.jsonl")
    wrong = lineledger("decide", target, "post", *told, "--out", first)
    assert (wrong.code, "DECISION_INVALID" in wrong.stderr) == (1, True), wrong.said
    unknown = lineledger("decide", "SAW1|parts|2026-11-20T01:00:00Z", "accept", *told, "--out", first)
    assert (unknown.code, target.split("|")[2] in unknown.stderr) == (1, True), unknown.said

    tokyo = datetime.fromisoformat(target.split("|")[2]).astimezone(ZoneInfo("Asia/Tokyo")).isoformat()
    assert lineledger("decide", f"SAW1|parts|{tokyo}", "discard", *told, "--out", first).code == 0
    second, report = run(floor, "second", "floor.jsonl", "decided.jsonl")
    assert posted(second) == 4 + 3 + 2 + 4
    assert [need for need in report["needs"] if "undecided" in need["what"]] == []  # type: ignore[attr-defined]
    exact = lineledger("reconcile", "--sources", "--out", second, "--json")
    assert (exact.code, exact.json["differences"]) == (0, []), exact.said
