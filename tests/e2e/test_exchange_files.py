"""B2MML files through `lineledger run`: documents become postings that name their records; a damaged one stops nobody."""

from pathlib import Path

from app.ledger.books import snapshot
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.exported import rows

B2MML = PROJECT / "tests" / "data" / "b2mml"


def test_documents_become_postings_and_a_damaged_one_an_exception(tmp_path: Path) -> None:
    damaged = tmp_path / "performance-damaged.xml"
    damaged.write_bytes((B2MML / "performance-sample.xml").read_bytes()[:-40])
    files = [B2MML / "schedule-sample.xml", B2MML / "performance-sample.xml", damaged]
    arguments = [text for file in files for text in ("--input", file)]
    outcome = lineledger("run", "--config", B2MML, *arguments, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.said
    found = {
        row["kind"]: (row["order"], row["material"], row["lot"], row["quantity"], row["uom"], row["sources"])
        for row in rows(tmp_path / "out" / "postings.csv")
    }
    assert found == {
        "yield": ("2000417", "8020", "A261120", "480", "PC", "performance-sample.xml:2..2 (1)"),
        "scrap": ("2000417", "8020", "A261120", "12", "PC", "performance-sample.xml:3..3 (1)"),
        "consumption": ("2000417", "9001", "R-778", "31.920", "kg", "performance-sample.xml:4..4 (1)"),
    }
    (letter,) = snapshot.read(tmp_path / "out").letters
    assert (letter.code, letter.raw_source, letter.raw_offset) == ("BAD_XML", "performance-damaged.xml", 1)
    assert letter.original == damaged.read_bytes()
