"""Holds on a machine and a time and on an order: what they would stop, what they stop in the next run, and their release."""

import json
from pathlib import Path

from tests.e2e.command import Outcome, lineledger
from tests.e2e.test_holds import SAID, run, states

PLANT = """
plant: {id: P, zone: UTC, quantity_from: declarations}
equipment: {M1: {}}
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
      - {when: {t: start}, emit: RunStarted, equipment: m, run: r, order: o, operation: =10, outputs: [{material: =M, lot: lot}]}
      - {when: {t: end}, emit: RunEnded, equipment: m, run: r}
      - {when: {t: made}, emit: ProductionDeclared, equipment: m, material: =M, lot: lot, quantity: {path: n, decimals: 0, unit: =PC}}
      - {when: {t: bench}, emit: ProductionDeclared, order: o, operation: =10, material: =M, lot: lot, quantity: {path: n, decimals: 0, unit: =PC}}
      - {when: {t: split}, emit: LotSplit, material: =M, lot: lot, children: {each: into}}
  operators: {files: ["decided*.jsonl"], read: {format: replay}}
"""  # noqa: E501
LINES = (
    {"t": "order", "o": "O1", "n": "100"},
    {"t": "order", "o": "O2", "n": "100"},
    {"t": "start", "m": "M1", "r": "R1", "o": "O1", "lot": "L1"},
    {"t": "made", "m": "M1", "lot": "L1", "n": "30"},
    {"t": "end", "m": "M1", "r": "R1"},
    {"t": "start", "m": "M1", "r": "R2", "o": "O1", "lot": "L2"},
    {"t": "made", "m": "M1", "lot": "L2", "n": "20"},
    {"t": "end", "m": "M1", "r": "R2"},
    {"t": "bench", "o": "O2", "lot": "L3", "n": "5"},
    {"t": "split", "lot": "L3", "into": ["L4"]},
    {"t": "bench", "o": "O1", "lot": "L4", "n": "1"},
)


def test_a_machine_and_a_time_and_an_order_hold_their_lots(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    rules = "post: [{kind: yield, when: shift_end}]\non_hold: {receipt: wait}\n"
    erp = 'erp: {adapter: sim, url: "${LINELEDGER_ERP_URL}", secret: lineledger-erp-token}\n'
    for name, text in (("plant", PLANT), ("rules", rules), ("erp", erp)):
        (tmp_path / "config" / f"{name}.yaml").write_text(text, encoding="utf-8")
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for minute, line in enumerate(LINES):
            file.write(json.dumps({"id": f"e{minute}", "at": f"2026-11-20T08:{minute:02}:00Z", **line}) + "\n")

    def hold(*arguments: str, out: Path) -> Outcome:
        append = ("--append", str(tmp_path / "decided.jsonl")) if arguments[0] not in ("show", "list") else ()
        return lineledger("hold", *arguments, *append, "--out", out, "--json")

    first = run(tmp_path, "first", "floor.jsonl")
    assert states(first) == dict.fromkeys(("L1", "L2", "L3", "L4"), "accepted")
    at = ("--at", "2026-11-20T08:00:00Z")
    machine = ("--equipment", "M1", "--from", "2026-11-20T08:04:30Z", "--to", "2026-11-20T08:05:30Z")
    for wrong in (("L1", *machine), ("--order", "O1", *machine[2:])):
        assert hold("place", "H", *wrong, *SAID, out=first).code == 2, wrong
    tried = hold("place", "H1", *machine, *SAID, *at, "--dry-run", out=first)
    assert (tried.code, [one["lot"] for one in tried.json["lots"]]) == (0, ["M|L2"]), tried.said
    assert [(one["lot"], one["then"]) for one in tried.json["postings"]] == [("M|L2", "in the ERP")]
    tried = hold("place", "H2", "--order", "O2", *SAID, *at, "--dry-run", out=first)
    assert (tried.code, [one["lot"] for one in tried.json["lots"]]) == (0, ["M|L3", "M|L4"]), tried.said
    assert not (tmp_path / "decided.jsonl").exists()
    for placed in (
        hold("place", "H1", *machine, *SAID, *at, out=first),
        hold("place", "H2", "--order", "O2", *SAID, *at, out=first),
    ):
        assert (placed.code, placed.json["written"]) == (0, 1), placed.said

    second = run(tmp_path, "second", "floor.jsonl", "decided.jsonl")
    assert states(second) == {"L1": "accepted", "L2": "held", "L3": "held", "L4": "held"}, "lots that appeared after the hold"
    listed = hold("list", out=second).json
    assert [(one["hold"], one["placed_on"], one["lots"]) for one in listed] == [
        ("H1", "equipment:M1@2026-11-20T08:04:30.000000Z/2026-11-20T08:05:30.000000Z", 1), ("H2", "order:O2", 2),
    ]  # fmt: skip
    assert [one["hold"] for one in hold("list", "--lot", "L4", out=second).json] == ["H2"]
    assert [one["lot"] for one in hold("show", "H2", out=second).json["lots"]] == ["M|L3", "M|L4"]

    late = ("--at", "2026-11-20T09:00:00Z")
    freed = hold("release", "H2", *SAID, *late, out=second)
    assert (freed.code, freed.json["written"], [one["lot"] for one in freed.json["lots"]]) == (0, 1, ["M|L3", "M|L4"]), freed.said
    third = run(tmp_path, "third", "floor.jsonl", "decided.jsonl")
    assert states(third) == {"L1": "accepted", "L2": "held", "L3": "accepted", "L4": "accepted"}
