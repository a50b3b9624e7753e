"""People decide: over recorded input a decision is a line of a file, passes through intake, and does the same each time."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import lineledger
from tests.e2e.exported import rows

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
        change_number: =1
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}, batch_managed: =false}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - {when: {t: made}, MADE}
RULE
      - {when: {t: done}, emit: OrderCompleted, order: o}
  operators: {files: ["decided*.jsonl"], read: {format: replay}}
"""
MADE = "emit: ProductionDeclared, order: o, operation: =10, material: =M, quantity: {path: n, decimals: 0, unit: =PC}"
EXTRA = f"      - {{when: {{t: extra}}, {MADE}}}"
RULES = "post: [{kind: yield, when: [shift_end, order_completed]}]\n"
LINES = (
    {"t": "order", "o": "O1", "n": "100"},
    {"t": "made", "o": "O1", "n": "130"},
    {"t": "extra", "o": "O1", "n": "7"},
    {"t": "done", "o": "O1"},
)


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    configure(tmp_path, "")
    (tmp_path / "config" / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "config" / "erp.yaml").write_text(
        'erp: {adapter: sim, url: "${LINELEDGER_ERP_URL}", secret: lineledger-erp-token}\n', encoding="utf-8"
    )
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for minute, line in enumerate(LINES):
            file.write(json.dumps({"id": f"e{minute}", "at": f"2026-11-20T08:0{minute}:00Z", **line}) + "\n")
    return tmp_path


def configure(floor: Path, extra: str) -> None:
    (floor / "config" / "plant.yaml").write_text(
        PLANT.replace("RULE\n", f"{extra}\n" if extra else "").replace(" MADE", f" {MADE}"), encoding="utf-8"
    )


def run(floor: Path, name: str, *inputs: str) -> Path:
    out = floor / name
    files = [part for file in inputs for part in ("--input", str(floor / file))]
    outcome = lineledger("run", "--config", floor / "config", *files, "--erp", "sim", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    return out


def posted(out: Path) -> int:
    return sum(int(row["quantity"]) for row in rows(out / "postings.csv") if row["kind"] == "yield")


def test_a_decision_lets_the_excess_go_and_a_replay_brings_a_dead_letter_back(floor: Path) -> None:
    first = run(floor, "first", "floor.jsonl")
    assert posted(first) == 100
    (parked,) = lineledger("parked", "--out", first, "--json").json
    assert (parked["code"], parked["quantity"]) == ("OVER_DELIVERY", "30")

    who_why = ("--who", "A. Person", "--why", "the customer takes it", "--append", floor / "decided.jsonl")
    made = lineledger("decide", parked["account"], "post", *who_why, "--out", first, "--json")
    assert (made.code, made.json["written"]) == (0, 1), made.said
    assert "A. Person" not in (floor / "decided.jsonl").read_text(encoding="utf-8")
    second = run(floor, "second", "floor.jsonl", "decided.jsonl")
    assert posted(second) == 130
    assert lineledger("parked", "--out", second, "--json").json == []

    again = lineledger("decide", "O1", "post", *who_why, "--out", second)
    assert (again.code, "NOTHING_PARKED" in again.stderr) == (1, True), again.said

    # The record that no rule matched: the mapping is corrected, then the dead letter enters once more.
    (letter,) = lineledger("exceptions", "--code", "NO_MAPPING", "--out", second, "--json").json
    append = ("--append", floor / "decided.jsonl", "--out", second)
    replayed = lineledger("exceptions", "replay", "--code", "NO_MAPPING", *append, "--json")
    assert (replayed.code, replayed.json["written"]) == (0, 1), replayed.said
    unheard = run(floor, "unheard", "floor.jsonl", "decided.jsonl")
    assert posted(unheard) == 130, "no rule matches it yet"
    assert [one["position"] for one in lineledger("exceptions", "--out", unheard, "--json").json] == [letter["position"]] * 2
    configure(floor, EXTRA)
    third = run(floor, "third", "floor.jsonl", "decided.jsonl")
    assert posted(third) == 137, "from its file it counts now; its replay is a duplicate"
    (floor / "floor.jsonl").write_text(
        "".join(line for line in (floor / "floor.jsonl").read_text(encoding="utf-8").splitlines(True) if "extra" not in line),
        encoding="utf-8",
    )
    fourth = run(floor, "fourth", "floor.jsonl", "decided.jsonl")
    assert posted(fourth) == 130, "the decision held for what was parked then: the replay came after it"
    (anew,) = lineledger("parked", "--out", fourth, "--json").json
    assert (anew["code"], anew["quantity"]) == ("OVER_DELIVERY", "7"), (
        "a dead-lettered id is not seen: from the replay alone it counts"
    )
    exact = lineledger("reconcile", "--sources", "--out", fourth, "--json")
    assert (exact.code, exact.json["differences"]) == (0, []), exact.said


def test_a_dead_letter_has_a_life(floor: Path) -> None:
    """Open, discarded with who and why, replayed and refused again, replayed and resolved. Each is a record of the next run."""

    def listed(out: Path, *options: str) -> list[tuple[str, str]]:
        found = lineledger("exceptions", "list", *options, "--out", out, "--json")
        assert found.code == 0, found.said
        return [(one["id"], one["state"]) for one in found.json]

    def needs(out: Path) -> list[str]:
        return [need["what"] for need in json.loads((out / "report.json").read_text(encoding="utf-8"))["needs"]]

    said = ("--who", "A. Person", "--why", "it was a test", "--append", floor / "decided.jsonl")
    first = run(floor, "first", "floor.jsonl")
    ((name, state),) = listed(first)
    assert state == "open"
    assert any("1 records refused: NO_MAPPING" in what for what in needs(first))
    for option, other in (("--code", "BAD_JSON"), ("--source", "nobody"), ("--state", "resolved")):
        assert listed(first, option, other) == []
    assert listed(first, "--since", "2026-11-20T08:02:00Z", "--until", "2026-11-20T08:03:00Z") == [(name, "open")]

    nothing = lineledger("exceptions", "discard", *said, "--out", first)
    assert (nothing.code, "say which" in nothing.stderr) == (2, True), nothing.said
    tried = lineledger("exceptions", "discard", name[:8], "--dry-run", *said, "--out", first, "--json")
    assert (tried.code, tried.json["written"], (floor / "decided.jsonl").exists()) == (0, 0, False), tried.said
    done = lineledger("exceptions", "discard", "--code", "NO_MAPPING", *said, "--out", first, "--json")
    assert (done.code, done.json["written"]) == (0, 1), done.said

    second = run(floor, "second", "floor.jsonl", "decided.jsonl")
    assert listed(second) == [(name, "discarded")]
    assert not any("refused" in what for what in needs(second)), "nobody has to look at it any more"
    shown = lineledger("exceptions", "show", name, "--out", second, "--json")
    ((entry,), who) = shown.json["history"], shown.json["history"][0]["who"]
    assert (entry["state"], entry["why"], "Person" in who) == ("discarded", "it was a test", False)
    again = lineledger("exceptions", "discard", "--code", "NO_MAPPING", *said, "--out", second)
    assert again.code == 1, again.said

    replayed = lineledger("exceptions", "replay", name, "--append", floor / "decided.jsonl", "--out", second, "--json")
    assert (replayed.code, replayed.json["written"]) == (0, 1), replayed.said
    third = run(floor, "third", "floor.jsonl", "decided.jsonl")
    states = dict(listed(third))
    assert (states.pop(name), list(states.values())) == ("replayed", ["open"]), "refused again: a letter of its own"

    configure(floor, EXTRA)
    (floor / "floor.jsonl").write_text(
        "".join(line for line in (floor / "floor.jsonl").read_text(encoding="utf-8").splitlines(True) if "extra" not in line),
        encoding="utf-8",
    )
    fourth = run(floor, "fourth", "floor.jsonl", "decided.jsonl")
    assert listed(fourth) == [], "a run that takes it at once has no letter"
    assert posted(fourth) == 100, "the order takes 100 of 137"


def test_without_an_operators_source_the_command_says_what_to_write(floor: Path) -> None:
    config = floor / "config" / "plant.yaml"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if "operators" not in line), encoding="utf-8")
    out = run(floor, "first", "floor.jsonl")
    outcome = lineledger("decide", "O1", "post", "--who", "x", "--why", "y", "--append", floor / "d.jsonl", "--out", out)
    assert outcome.code == 2 and "format: replay" in outcome.stderr, outcome.said
