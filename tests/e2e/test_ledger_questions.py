"""What the ledger of a finished run answers: trace, parked, exceptions, reconcile. Exit 0: fine, 1: differs, 2: wrong use."""

import dataclasses
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.ledger.books import snapshot
from app.ledger.books.sources import FileSources
from app.ledger.proof.readdition import ReAdditions
from app.ledger.questions.moments import iso
from app.ledger.questions.trace import DIFFERS, OK, check
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS
from tests.e2e.command import lineledger
from tests.e2e.conftest import Demo
from tests.e2e.exported import beside, rows


def test_every_posting_adds_up_again_from_its_raw_records(demo: Demo) -> None:
    """The whole input is mapped once more and every posting of the demo added up by itself."""
    again = ReAdditions(FileSources(demo.out, b"").everything(demo.ledger))
    postings = sorted(
        ((posting, row) for row in demo.ledger.of(ACCOUNT_ROWS) for posting in row.issued), key=lambda entry: entry[0].cut
    )
    assert len(postings) == demo.outcome.json["calls"]["postings"] > 200
    for posting, row in postings:
        checked = check(demo.ledger, row, posting, FileSources(demo.out, b""), again)
        assert checked.verdict == OK, (posting.posting_id, checked.detail)


def test_a_posting_whose_quantity_was_changed_does_not_add_up(demo: Demo) -> None:
    """Account, delivery and totals may agree with each other: the records do not."""
    again = ReAdditions(FileSources(demo.out, b"").everything(demo.ledger))
    row = next(row for row in demo.ledger.of(ACCOUNT_ROWS) if row.kind == "yield" and len(row.issued) == 1)
    lie = dataclasses.replace(row.issued[0], amount=row.issued[0].amount + 1, cumulative=row.issued[0].cumulative + 1)
    told = dataclasses.replace(row, issued=[lie], posted=lie.amount)
    checked = check(demo.ledger, told, lie, FileSources(demo.out, b""), again)
    assert checked.verdict == DIFFERS
    assert "re-added come to" in checked.detail


@pytest.mark.parametrize("lost", ["gone", "changed"])
def test_without_its_records_a_posting_is_expired_and_never_ok(demo: Demo, tmp_path: Path, lost: str) -> None:
    shutil.copy(demo.out / snapshot.FILE, tmp_path)
    for entry in demo.ledger.about["inputs"]:
        if not Path(entry["path"]).is_absolute():
            (tmp_path / entry["path"]).parent.mkdir(exist_ok=True)
            shutil.copy(demo.out / entry["path"], tmp_path / entry["path"])
    posting = rows(demo.out / "postings.csv")[0]
    assert lineledger("trace", posting["posting_id"], "--out", tmp_path, "--json").code == 0
    victim = next(path for path in (tmp_path / entry["path"] for entry in demo.ledger.about["inputs"]) if "presses" in path.name)
    if lost == "gone":
        victim.unlink()
    else:
        with victim.open("ab") as file:
            file.write(b"\n")
    outcome = lineledger("trace", posting["posting_id"], "--out", tmp_path, "--json")
    assert (outcome.code, outcome.json["ok"], outcome.json["verdict"]) == (1, False, "SOURCE_EXPIRED")
    assert outcome.json["sources"], "the stored ranges are shown"
    text = lineledger("trace", posting["posting_id"], "--out", tmp_path).stdout
    assert not text.rstrip().endswith("OK") and f"stored: {posting['records']} records" in text


def test_what_follows_pieces_says_by_which_bill(demo: Demo) -> None:
    accounts = demo.ledger.of(ACCOUNT_ROWS)
    row = next(row for row in accounts if row.issued and any(one.authority == "backflush" for one in row.sources.values()))
    order = next(one for one in demo.ledger.of(ORDER_ROWS) if one.order == row.order)
    component = next(one for one in order.components if one.material == row.material and one.operation == row.operation)
    need = f"{decimal_text(component.quantity.amount, component.quantity.scale)} {component.quantity.unit} / {component.base}"
    printed = lineledger("trace", row.issued[0].posting_id, "--out", demo.out).stdout
    assert f"pieces of the operation, by the bill x {need}" in printed and "declared run" not in printed


def test_an_equipment_at_a_moment_leads_to_the_posting_that_holds_it(demo: Demo) -> None:
    row = next(row for row in demo.ledger.of(ACCOUNT_ROWS) if row.kind == "yield" and row.issued)
    source = next(source for source in row.sources.values() if source.equipment)
    at = iso(source.first_at)
    outcome = lineledger("trace", source.equipment, "--at", at, "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    assert row.issued[0].posting_id in {entry["posting_id"] for entry in outcome.json["postings"]}


def test_order_and_lot_lead_to_their_postings(demo: Demo) -> None:
    posting = next(row for row in rows(demo.out / "postings.csv") if row["kind"] == "yield" and row["lot"])
    outcome = lineledger("trace", posting["order"], "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    named = {id_ for account in outcome.json["accounts"] for id_ in account["postings"]}
    assert named == {row["posting_id"] for row in rows(demo.out / "postings.csv") if row["order"] == posting["order"]}
    lot = lineledger("trace", posting["lot"], "--out", demo.out, "--json").json
    assert posting["posting_id"] in lot["postings"]
    assert lot["parents"], "what was loaded while it was made"


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
    assert text.rstrip().endswith("posted quantity   OK")
    if kind == "yield":
        assert "counts x" in text and "this posting" in text


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
    assert sum(letter["stage"] == "intake" for letter in every) == demo.outcome.json["raw"]["refused"]
    text = lineledger("exceptions", "--out", demo.out).stdout
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_no_ledger_in_that_folder(tmp_path: Path) -> None:
    outcome = lineledger("reconcile", "--out", tmp_path)
    assert outcome.code == 2, outcome.said
    assert "ledger.sqlite" in outcome.stderr and "Traceback" not in outcome.stderr


# Reconciliation (what it finds: test_planted_lies.py)


def test_reconcile_of_an_untouched_ledger(demo: Demo) -> None:
    outcome = lineledger("reconcile", "--out", demo.out, "--json")
    found = outcome.json
    assert (outcome.code, found["exact"], found["differences"]) == (0, True, [])
    assert found["erp"]["agreeing"] == found["erp"]["orders"] > 0, "what the ERP answered at the end of the run is compared"
