"""People stop lots and free them, see where lots went, and what of them left: over recorded input."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import Outcome, lineledger
from tests.e2e.exported import rows

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
      - {when: {t: shipped}, emit: LotShipped, material: =M, lot: lot, delivery: d, quantity: {path: n, decimals: 0, unit: =PC}}
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


def test_what_a_lot_went_into_and_what_of_it_left(floor: Path) -> None:
    with (floor / "floor.jsonl").open("a", encoding="utf-8") as file:
        shipped = {"t": "shipped", "lot": "L1", "d": "T-7", "n": "12"}
        file.write(json.dumps({"id": "s1", "at": "2026-11-20T09:00:00Z", **shipped}) + "\n")
    out = run(floor, "out", "floor.jsonl")
    down = lineledger("trace", "L0", "--down", "--out", out, "--json")
    assert (down.code, [one["lot"] for one in down.json["lots"]]) == (0, ["M|L0", "M|L1"]), down.said
    child = down.json["lots"][1]
    assert (child["made"], len(child["postings"]), child["shipments"][0]["quantity"]) == ({"O1": "30 PC"}, 1, "12")
    up = lineledger("trace", "M|L1", "--up", "--depth", "1", "--out", out)
    assert up.code == 0 and up.stdout.splitlines()[1].strip().startswith("M|L0"), up.said
    for wrong, code in (("L0 --down --up", 2), ("L0 --depth 1", 2), ("Z --down", 1)):
        assert lineledger("trace", *wrong.split(), "--out", out).code == code
    listed = lineledger("recall", "L0", "--to", floor / "recall.csv", "--out", out)
    assert listed.code == 0 and "1 shipments contain M|L0" in listed.stderr, listed.said
    (row,) = rows(floor / "recall.csv")
    assert (row["delivery"], row["lot"], row["quantity"], row["path"]) == ("T-7", "L1", "12", "M|L0 > M|L1")
    assert lineledger("recall", "L0", "--out", out, "--json").json["here"] == ["M|L0"]
    assert lineledger("recall", "Z", "--out", out).code == 1
