"""A plant that only shadows another interface: a whole run decides everything and sends nothing, on each machine."""

import json
from pathlib import Path

import pytest

from app.erp.traffic import JOURNAL, journalled
from tests.e2e.command import lineledger
from tests.e2e.exported import beside, rows

PLANT = """
plant: {id: P, zone: UTC, quantity_from: declarations}
shadow: true
sources:
  floor:
    read: {format: json, event_id: id, occurred_at: at, received_at: at}
    events:
      - when: {t: order}
        emit: OrderReleased
        order: o
        change_number: =1
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}, batch_managed: =false}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - when: {t: made}
        emit: ProductionDeclared
        order: o
        operation: =10
        material: =M
        quantity: {path: n, decimals: 0, unit: =PC}
      - {when: {t: done}, emit: OrderCompleted, order: o}
"""
LINES = ({"t": "order", "o": "O1", "n": "100"}, {"t": "made", "o": "O1", "n": "30"}, {"t": "done", "o": "O1"})


@pytest.mark.parametrize("machine", [(), ("--embedded",)], ids=["memory", "embedded"])
def test_all_is_decided_and_nothing_is_sent(machine: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (tmp_path / "rules.yaml").write_text("post: [{kind: yield, when: [shift_end, order_completed]}]\n", encoding="utf-8")
    (tmp_path / "erp.yaml").write_text("erp: {adapter: sim}\n", encoding="utf-8")
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for minute, line in enumerate(LINES):
            file.write(json.dumps({"id": f"e{minute}", "at": f"2026-11-20T08:0{minute}:00Z", **line}) + "\n")
    out = tmp_path / "out"
    arguments = ("--config", tmp_path, "--input", tmp_path / "floor.jsonl", "--erp", "sim", "--out", out, "--json")
    outcome = lineledger("run", *machine, *arguments)
    assert outcome.code == 0, outcome.said
    assert sum(int(row["quantity"]) for row in [*rows(out / "postings.csv"), *rows(beside(out / "postings.csv"))]) == 30
    assert {request.call for request in journalled(out / JOURNAL)} <= {"question"}
