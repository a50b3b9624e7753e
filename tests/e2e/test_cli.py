"""What people type, what they get, and the exit code that a script sees: 0 fine, 1 something differs, 2 wrong use."""

import json
import re
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from app.demo.master import CONFIGURATION
from app.ledger import snapshot
from app.ledger.explain import trace_lines
from schemas.codec import Codec
from schemas.records import AccountRow, EquipmentRow
from tests.e2e.command import Outcome, lineledger
from tests.e2e.conftest import Demo
from tests.e2e.exported import beside, rows


def run(*arguments: str | Path, config: Path = CONFIGURATION) -> Outcome:
    return lineledger("run", "--config", config, *arguments)


# Questions to the ledger of a finished run


def test_every_posting_is_explained_and_adds_up(demo: Demo) -> None:
    postings = rows(demo.out / "postings.csv")
    assert len(postings) == demo.outcome.json["calls"]["postings"] > 200
    for posting in postings:
        found, lines = trace_lines(demo.ledger, posting["posting_id"], "")
        assert found["ok"], lines
        assert (found["status"], found["rule_version"]) == ("ACCEPTED", posting["rule_version"])
        assert found["records"] == int(posting["records"])
        assert lines[-1].startswith("Checked") and lines[-1].endswith("OK")


def test_every_posting_names_the_raw_records_behind_it(demo: Demo) -> None:
    postings = rows(demo.out / "postings.csv")
    nameless = Counter(posting["kind"] for posting in postings if not posting["sources"])
    assert nameless == {}
    for posting in postings:
        counts = [int(part.rpartition("(")[2].rstrip(")")) for part in posting["sources"].split("; ")]
        assert sum(counts) == int(posting["records"]), posting


@pytest.mark.parametrize("kind", ["yield", "machine_time"])
def test_trace_of_a_posting(demo: Demo, kind: str) -> None:
    posting = next(row for row in rows(demo.out / "postings.csv") if row["kind"] == kind)
    outcome = lineledger("trace", posting["posting_id"], "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    found = outcome.json
    assert (found["amount"], found["unit"], found["erp_document"]) == (
        posting["quantity"],
        posting["uom"],
        posting["erp_document"],
    )
    text = lineledger("trace", posting["posting_id"], "--out", demo.out).stdout
    assert f"order {posting['order']}" in text
    assert text.rstrip().endswith("OK")


def test_trace_of_equipment_at_a_moment(demo: Demo) -> None:
    (need,) = (need for need in demo.outcome.json["needs"] if "unattributed" in need["what"])
    _, *arguments = need["command"].split()
    outcome = lineledger(*arguments, "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    assert outcome.json["run"] == "", "nothing ran then: that is why the pieces are unattributed"


def test_trace_of_what_is_not_there(demo: Demo) -> None:
    outcome = lineledger("trace", "0000000000000000", "--out", demo.out, "--json")
    assert (outcome.code, outcome.json["code"]) == (1, "NOT_FOUND")


def test_parked_lists_quantity_code_and_account(demo: Demo) -> None:
    outcome = lineledger("parked", "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    listed = [row for row in rows(beside(demo.out / "postings.csv")) if row["status"] == "parked"]
    assert [(entry["quantity"], entry["code"]) for entry in outcome.json] == [(row["quantity"], row["code"]) for row in listed]
    (one,) = lineledger("parked", "--account", outcome.json[0]["account"], "--out", demo.out, "--json").json
    assert one == outcome.json[0]
    assert lineledger("parked", "--account", "no such account", "--out", demo.out, "--json").json == []


def test_exceptions_show_code_position_and_original(demo: Demo) -> None:
    outcome = lineledger("exceptions", "--code", "BAD_UNIT", "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    assert len(outcome.json) == demo.truth.planted.refused["terminals", "BAD_UNIT"]
    lines = demo.truth.files["terminals"].read_text(encoding="utf-8").splitlines()
    for letter in outcome.json:
        file, _, number = letter["position"].rpartition(":")
        assert file == demo.truth.files["terminals"].name
        assert letter["original"] == lines[int(number) - 1]
    every = lineledger("exceptions", "--out", demo.out, "--json").json
    assert len(every) == demo.outcome.json["raw"]["refused"]
    text = lineledger("exceptions", "--out", demo.out).stdout
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_no_ledger_in_that_folder(tmp_path: Path) -> None:
    outcome = lineledger("reconcile", "--out", tmp_path)
    assert outcome.code == 2, outcome.said
    assert "ledger.sqlite" in outcome.stderr and "Traceback" not in outcome.stderr


# Reconciliation finds what was changed behind its back


def test_reconcile_of_an_untouched_ledger(demo: Demo) -> None:
    outcome = lineledger("reconcile", "--out", demo.out, "--json")
    assert (outcome.code, outcome.json) == (0, {"exact": True, "differences": []})


def tampered(demo: Demo, folder: Path, stage: str, prefix: str) -> tuple[str, sqlite3.Connection, bytes]:
    """A copy of the ledger, open, with the key and value of its first row that begins with `prefix`."""
    shutil.copy(demo.out / snapshot.FILE, folder)
    db = sqlite3.connect(folder / snapshot.FILE)
    found = db.execute("select key, value from rows where stage = ? order by key", (stage,)).fetchall()
    key, value = next((key, value) for key, value in found if key.startswith(prefix.encode()))
    return key.decode(), db, value


def test_reconcile_names_the_account_whose_source_was_changed(demo: Demo, tmp_path: Path) -> None:
    order = next(row["order"] for row in rows(demo.out / "postings.csv") if row["kind"] == "yield")
    codec = Codec()
    key, db, value = tampered(demo, tmp_path, "orders", f"a|BRN1|{order}|")
    row = codec.decode(value)
    assert isinstance(row, AccountRow)
    next(iter(row.sources.values())).numerator += 1
    with db:
        db.execute("update rows set value = ? where stage = 'orders' and key = ?", (codec.encode(row), key.encode()))
    db.close()
    outcome = lineledger("reconcile", "--out", tmp_path, "--json")
    assert outcome.code == 1, outcome.said
    assert outcome.json["exact"] is False
    assert any(order in difference for difference in outcome.json["differences"])
    assert "NOT EXACT" in lineledger("reconcile", "--out", tmp_path).stdout


def test_reconcile_names_the_posting_that_was_removed_from_its_account(demo: Demo, tmp_path: Path) -> None:
    posting = next(row for row in rows(demo.out / "postings.csv") if row["kind"] == "scrap")
    codec = Codec()
    account = (
        f"a|BRN1|{posting['order']}|{posting['operation']}|{posting['material']}|{posting['lot']}|scrap|{posting['reason']}|"
    )
    key, db, value = tampered(demo, tmp_path, "orders", account)
    row = codec.decode(value)
    row.issued = [entry for entry in row.issued if entry.posting_id != posting["posting_id"]]
    with db:
        db.execute("update rows set value = ? where stage = 'orders' and key = ?", (codec.encode(row), key.encode()))
    db.close()
    outcome = lineledger("reconcile", "--out", tmp_path, "--json")
    assert outcome.code == 1, outcome.said
    assert f"posting {posting['posting_id']} is in no account" in outcome.json["differences"]
    trace = lineledger("trace", posting["posting_id"], "--out", tmp_path)
    assert trace.code == 1, trace.said


def test_reconcile_names_the_equipment_that_counted_something_else(demo: Demo, tmp_path: Path) -> None:
    codec = Codec()
    key, db, value = tampered(demo, tmp_path, "equipment", "e|BRN1|ASM-01")
    row = codec.decode(value)
    assert isinstance(row, EquipmentRow)
    total = next(total for name, total in sorted(row.totals.items()) if "good" in name and total.amount)
    total.amount += 5
    with db:
        db.execute("update rows set value = ? where stage = 'equipment' and key = ?", (codec.encode(row), key.encode()))
    db.close()
    outcome = lineledger("reconcile", "--out", tmp_path, "--json")
    assert outcome.code == 1, outcome.said
    (difference,) = outcome.json["differences"]
    assert difference.startswith(f"ASM-01 gave {total.amount} to ")


# What cannot be run is refused before anything starts


@pytest.fixture
def presses(tmp_path: Path) -> Path:
    path = tmp_path / "presses.jsonl"
    path.write_bytes(b"")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The demo's configuration with a unit of time that does not exist, in line 3 of rules.yaml."""
    folder = tmp_path / "broken"
    shutil.copytree(CONFIGURATION, folder)
    rules = folder / "rules.yaml"
    lines = rules.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines) if "every 40 BOX" in line)
    lines[number] = lines[number].replace("every 40 BOX", "every forty boxes")
    rules.write_text("\n".join(lines), encoding="utf-8")
    (folder / "line").write_text(str(number + 1))
    return folder


def test_config_check(broken: Path) -> None:
    fine = lineledger("config", "check", "--config", CONFIGURATION, "--json")
    assert (fine.code, fine.json["ok"], fine.json["plant"]) == (0, True, "BRN1")
    wrong = lineledger("config", "check", "--config", broken)
    assert wrong.code == 1, wrong.said
    assert f"rules.yaml:{(broken / 'line').read_text()}:" in wrong.stderr


def test_a_wrong_configuration_names_file_and_line(broken: Path, presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--out", tmp_path / "out", config=broken)
    assert outcome.code == 2, outcome.said
    assert f"rules.yaml:{(broken / 'line').read_text()}:" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_two_workers_need_a_real_kafka(presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--workers", "2", "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert "--bootstrap" in outcome.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("presses-of-tomorrow.jsonl", "is no file"),
        ("presses=nowhere.jsonl", "is no file"),
        ("nobody.jsonl", "matches no source"),
    ],
)
def test_an_unknown_input_is_refused(tmp_path: Path, argument: str, says: str) -> None:
    outcome = run("--input", argument, "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert says in outcome.stderr and argument.rpartition("=")[2] in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_unknown_erp_is_refused(presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--erp", "excel", "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert "excel" in outcome.stderr


# Input that has nothing in it


def test_an_empty_file_is_an_exact_run_of_nothing(presses: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run("--input", presses, "--erp", "sim", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    assert (outcome.json["exact"], outcome.json["raw"], outcome.json["calls"]["postings"]) == (True, {}, 0)
    assert rows(out / "postings.csv") == rows(beside(out / "postings.csv")) == []
    pids = json.loads((out / "pids.json").read_text(encoding="utf-8"))
    assert all(not Path(f"/proc/{pid}").exists() for found in pids.values() for pid in found), "every worker is gone"


def test_garbage_is_refused_line_by_line(tmp_path: Path) -> None:
    lines = [
        b"no json",
        b'{"type": "cycle",',
        b"\xff\xfe\x00\x01",
        b"[]",
        b'"text"',
        b"{}",
        b"x" * (2 << 20),
        b"\x1b[2J",
        b"1e9999",
    ]
    path, out = tmp_path / "presses.jsonl", tmp_path / "out"
    path.write_bytes(b"\n\n".join(lines) + b"\n")
    outcome = run("--input", path, "--erp", "none", "--out", out, "--export-postings", tmp_path / "all.csv", "--json")
    assert outcome.code == 0, outcome.said
    assert outcome.json["raw"] == {"raw": len(lines), "refused": len(lines)}
    assert rows(tmp_path / "all.csv") == rows(tmp_path / "all.not_posted.csv") == []
    letters = lineledger("exceptions", "--out", out, "--json").json
    assert sorted(int(letter["position"].rpartition(":")[2]) for letter in letters) == list(range(1, 2 * len(lines), 2))
    codes = {letter["position"]: letter["code"] for letter in letters}
    assert codes["presses.jsonl:13"] == "TOO_LARGE"
    assert all(re.fullmatch("[A-Z_]+", code) for code in codes.values())
    assert "\x1b" not in lineledger("exceptions", "--out", out).stdout
