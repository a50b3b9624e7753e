"""Correlation ids on their way from a raw record to the posting, by `lineledger run` and `trace` as people type them."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import lineledger
from tests.e2e.exported import rows

PLANT = """
plant: {id: P1, zone: UTC}
calendar: {shifts: {day: "06:00", night: "18:00"}}
sources:
  mes:
    files: ["mes*.jsonl"]
    read: {format: json, event_id: id, occurred_at: t, equipment: m%s}
    events:
      - {when: {k: order}, emit: OrderReleased, order: po, items: [{item: =1, material: =M, quantity: {path: qty, unit: =PC}}], operations: [{operation: =10, receipt: =yes}], components: [{item: =1, operation: =10, material: =PP, quantity: {path: =1, unit: =kg}, base: =10, mode: =ledger_backflush}, {item: =2, operation: =10, material: =OIL, quantity: {path: =1, unit: =kg}, base: =100, mode: =declared}]}
      - {when: {k: start}, emit: RunStarted, run: id, order: po, operation: =10, outputs: [{material: =M}]}
      - {when: {k: count}, emit: CounterReading, counter: =shots, value: n}
      - {when: {k: scrap}, emit: ScrapDeclared, reason: why, quantity: {path: qty, unit: =PC}}
      - {when: {k: used, m: ""}, emit: MaterialConsumed, order: po, operation: =10, material: =OIL, quantity: {path: qty, unit: =kg}}
equipment:
  "*": {counters: {shots: {}}}
"""  # noqa: E501
RULES = "post: [{kind: yield, when: shift_end}, {kind: scrap, when: shift_end}, {kind: consumption, when: shift_end}]\n"
RECORDS = [
    {"id": "1", "k": "order", "t": "2026-09-07T05:00:00Z", "po": "A1", "qty": 100},
    {"id": "2", "k": "start", "t": "2026-09-07T06:00:00Z", "m": "A", "po": "A1", "msg": "start-77"},
    {"id": "3", "k": "count", "t": "2026-09-07T06:01:00Z", "m": "A", "n": 0, "msg": "poll-1"},
    {"id": "4", "k": "count", "t": "2026-09-07T07:00:00Z", "m": "A", "n": 20, "msg": "poll-2"},
    {"id": "5", "k": "scrap", "t": "2026-09-07T08:00:00Z", "m": "A", "qty": 2, "why": "edge", "msg": "terminal-5"},
    {"id": "6", "k": "used", "t": "2026-09-07T09:00:00Z", "po": "A1", "qty": 3, "msg": "store-9"},
    {"id": "7", "k": "count", "t": "2026-09-07T19:00:00Z", "m": "A", "n": 20},
]
CARRIED = {
    ("yield", "M"): ["start-77", "terminal-5"],
    ("scrap", "M"): ["start-77", "terminal-5"],
    ("consumption", "PP"): ["start-77"],
    ("consumption", "OIL"): ["store-9"],
}


@pytest.mark.parametrize(("setting", "expected"), [(", correlation_id: msg", CARRIED), ("", {key: [] for key in CARRIED})])
def test_postings_name_the_ids_that_their_records_state(
    setting: str, expected: dict[tuple[str, str], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT % setting, encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "mes.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    out = tmp_path / "out"
    ran = lineledger("run", "--config", tmp_path, "--input", tmp_path / "mes.jsonl", "--erp", "none", "--out", out)
    assert ran.code == 0, ran.said
    postings = {(row["kind"], row["material"]): row["posting_id"] for row in rows(out / "postings.csv")}
    assert set(postings) == set(expected)
    for key, posting in postings.items():
        assert lineledger("trace", posting, "--out", out, "--json").json["correlation_ids"] == expected[key]
    said = lineledger("trace", postings["yield", "M"], "--out", out).stdout
    assert ("Messages  start-77, terminal-5" in said) is bool(setting)
