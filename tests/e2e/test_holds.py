"""People stop lots and free them: over recorded input as lines of a file, live through the raw topic of the plant's operators."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tests.e2e.command import Outcome, lineledger
from tests.e2e.exported import rows
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until
from tests.e2e.test_start import _installed

OPS = "raw.live.ops"
SAID = ("--who", "A. Person", "--why", "bubbles in the wall")
PLANT = """
plant: {id: P, zone: UTC, quantity_from: declarations}
sources:
  floor:
    files: ["floor*.jsonl"]
    read: {format: json, event_id: id, occurred_at: at, received_at: at}
    events:
      - when: {t: order}
        emit: OrderReleased
        order: o
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - {when: {t: made}, emit: ProductionDeclared, order: o, operation: =10, material: =M, lot: lot, quantity: {path: n, decimals: 0, unit: =PC}}
      - {when: {t: split}, emit: LotSplit, material: =M, lot: lot, children: {each: into}}
  operators: {files: ["decided*.jsonl"], read: {format: replay}}
"""  # noqa: E501
LINES = (
    {"t": "order", "o": "O1", "n": "100"},
    {"t": "split", "lot": "L0", "into": ["L1"]},
    {"t": "made", "o": "O1", "n": "30", "lot": "L1"},
    {"t": "made", "o": "O1", "n": "20", "lot": "L2"},
)


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "plant.yaml").write_text(PLANT, encoding="utf-8")
    rules = "post: [{kind: yield, when: shift_end}]\non_hold: {receipt: wait}\n"
    (tmp_path / "config" / "rules.yaml").write_text(rules, encoding="utf-8")
    erp = 'erp: {adapter: sim, url: "${LINELEDGER_ERP_URL}", secret: lineledger-erp-token}\n'
    (tmp_path / "config" / "erp.yaml").write_text(erp, encoding="utf-8")
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for minute, line in enumerate(LINES):
            file.write(json.dumps({"id": f"e{minute}", "at": f"2026-11-20T08:0{minute}:00Z", **line}) + "\n")
    return tmp_path


def run(floor: Path, name: str, *inputs: str) -> Path:
    out = floor / name
    files = [part for file in inputs for part in ("--input", str(floor / file))]
    outcome = lineledger("run", "--config", floor / "config", *files, "--erp", "sim", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    return out


def states(out: Path) -> dict[str, str]:
    return {row["lot"]: row["status"] for row in rows(out / "postings.csv") if row["kind"] == "yield"}


def test_over_recorded_input_a_hold_is_a_line_of_the_next_run(floor: Path) -> None:
    def hold(*arguments: str, out: Path) -> Outcome:
        append = ("--append", str(floor / "decided.jsonl")) if arguments[0] not in ("show", "list") else ()
        return lineledger("hold", *arguments, *append, "--out", out, "--json")

    first = run(floor, "first", "floor.jsonl")
    assert states(first) == {"L1": "accepted", "L2": "accepted"}
    asked = ("place", "8D-17", "L0", *SAID, "--at", "2026-11-20T08:02:30Z")
    tried = hold(*asked, "--dry-run", out=first)
    assert (tried.code, tried.json["written"], (floor / "decided.jsonl").exists()) == (0, 0, False), tried.said
    assert [one["lot"] for one in tried.json["lots"]] == ["M|L0", "M|L1"]
    assert [(one["lot"], one["then"]) for one in tried.json["postings"]] == [("M|L1", "in the ERP")]
    nowhere = hold("place", "8D-17", "Z", *SAID, out=first)
    assert (nowhere.code, (floor / "decided.jsonl").exists()) == (1, False), nowhere.said
    placed = hold(*asked, out=first)
    assert (placed.code, placed.json["written"]) == (0, 1), placed.said
    assert "A. Person" not in (floor / "decided.jsonl").read_text(encoding="utf-8")
    second = run(floor, "second", "floor.jsonl", "decided.jsonl")
    assert states(second) == {"L1": "held", "L2": "accepted"}
    (entry,) = hold("list", out=second).json
    assert (entry["placed_on"], entry["lots"], entry["why"]) == ("M|L0", 2, SAID[3])
    assert entry["effective"] == "2026-11-20T08:02:30Z"
    shown = hold("show", "8D-17", out=second).json
    assert [(one["lot"], one["held"], one["gate"]) for one in shown["lots"]] == [
        ("M|L0", True, "closed"), ("M|L1", True, "closed"),
    ]  # fmt: skip
    assert [one["state"] for one in shown["postings"]] == ["held"]

    unconfirmed = hold("exempt", "8D-17", "L0", "--descendants", *SAID, out=second)
    assert (unconfirmed.code, "confirm" in unconfirmed.stderr) == (2, True), unconfirmed.said
    exempted = hold("exempt", "8D-17", "L0", "--descendants", "--yes", *SAID, out=second)
    assert (exempted.code, exempted.json["written"]) == (0, 2), exempted.said
    third = run(floor, "third", "floor.jsonl", "decided.jsonl")
    assert states(third) == {"L1": "accepted", "L2": "accepted"}
    assert [one["exempted"]["why"] for one in hold("show", "8D-17", out=third).json["lots"]] == [SAID[3]] * 2


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_live_a_hold_stops_what_a_lot_went_into_until_it_is_released(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = tmp_path / "config"
    plant.config.mkdir(exist_ok=True)
    for file in CONFIG.iterdir():
        text = file.read_text(encoding="utf-8")
        split = "      - {when: {type: split}, emit: LotSplit, material: =4711, lot: lot, children: {each: into}}\n"
        ops = f"  ops: {{read: {{topic: {OPS}, format: replay}}}}\n"
        text = text.replace("equipment:\n  P1:", f"{split}{ops}equipment:\n  P1:")
        text += "on_hold: {receipt: wait}\n" if file.name == "rules.yaml" else ""
        (plant.config / file.name).write_text(text, encoding="utf-8")
    applied = plant.command("topics", "apply", *plant.where[:4], "--raw", f"{OPS}", "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said

    def hold(*arguments: str) -> Any:
        outcome = plant.command("hold", *arguments, *plant.where, "--json")
        assert outcome.code == 0, outcome.said
        return outcome.json

    def gates(plant: Installation) -> list[str]:
        outcome = plant.command("hold", "show", "8D-17", *plant.where, "--json")
        return [one["gate"] for one in outcome.json["lots"]] if outcome.code == 0 else []

    with SimulatorProcess(tmp_path / "erp") as erp:
        plant.environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        with plant.workers(*STAGES):
            plant.send({"type": "split", "lot": "L0", "into": ["L1"], "id": "x1"}, *order(), *shots((0, 100), (1, 112)))
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces")
            tried = hold("place", "8D-17", "L0", *SAID, "--dry-run")
            assert [one["lot"] for one in tried["lots"]] == ["4711|L0", "4711|L1"]
            assert [one["then"] for one in tried["postings"]] == ["in the ERP"]
            assert hold("list") == [], "nothing was written"

            assert hold("place", "8D-17", "L0", *SAID)["written"] == 1
            until(lambda: gates(plant) == ["closed", "closed"], "both gates closed")
            plant.send(*shots((2, 120)))
            until(lambda: [one["state"] for one in hold("show", "8D-17")["postings"]] == ["held"], "a receipt that waits")
            assert plant.received("O1") == 12

            freed = hold("release", "8D-17", *SAID, "--dry-run")
            assert [(one["lot"], one["after"]) for one in freed["lots"]] == [("4711|L0", []), ("4711|L1", [])]
            assert hold("release", "8D-17", *SAID)["written"] == 1
            until(lambda: plant.received("O1") == 20, "the receipt that waited")
            (entry,) = hold("list", "--all")
            assert (entry["state"], entry["why"]) == ("released", SAID[3])
