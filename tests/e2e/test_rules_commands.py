"""`lineledger rules`: a simulation posts what the run posted, and says what other rules would have done."""

import shutil
from pathlib import Path

import pytest

from app.demo.master import CONFIGURATION
from app.demo.recordings import recordings
from app.ledger.books.snapshot import read
from tables.row_kinds import ACCOUNT_ROWS
from tests.e2e.command import lineledger
from tests.e2e.conftest import Demo


@pytest.fixture(scope="module")
def files(demo: Demo) -> list[str]:
    folder = next(demo.out.glob("input-*"))
    return [word for path in [*sorted(folder.iterdir()), *recordings()] for word in ("--input", str(path))]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules") / "plant"
    shutil.copytree(CONFIGURATION, folder)
    text = (folder / "rules.yaml").read_text(encoding="utf-8")
    changed = text.replace("{kind: scrap, when: [shift_end, order_completed,", "{kind: scrap, when: [every 1 h,")
    assert changed != text
    (folder / "rules.yaml").write_text(changed, encoding="utf-8")
    return folder


def test_the_same_rules_post_what_the_run_posted(demo: Demo, files: list[str]) -> None:
    """Posting by posting: the simulation folds in one process what the run folded in many, over a broker."""
    from app.configuration import load
    from app.inputs.input_files import inputs
    from app.inputs.recorded_input import merged
    from app.secret import private_key
    from app.simulation.compare import documents
    from app.simulation.replay import Floor, Ledger, replay

    configuration = load(CONFIGURATION)
    key = private_key(configuration.plant, {})
    floor = Floor(configuration, key)
    ledger = Ledger(configuration, floor.codec)
    count = replay(merged(inputs(files[1::2], configuration.plant), configuration.plant, key), floor, [ledger])
    assert count == demo.outcome.json["raw"]["raw"]
    posted = {
        posting.posting_id: (posting.amount, posting.cut, posting.rule_version)
        for row in demo.ledger.of(ACCOUNT_ROWS)
        for posting in row.issued
    }
    simulated = {posting.posting_id: (posting.amount, posting.cut, posting.rule_version) for posting in ledger.postings}
    assert simulated == posted
    assert documents(ledger) <= demo.outcome.json["calls"]["documents"], "an estimate from below: holds make more"


def test_other_rules_are_shown_side_by_side_and_nothing_is_touched(demo: Demo, files: list[str], other: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.out.rglob("*")}
    outcome = lineledger("rules", "simulate", "--config", other, "--against", CONFIGURATION, *files, "--json")
    assert outcome.code == 0, outcome.said
    old, new = outcome.json["sides"]
    scrap = [next(one for one in side["by_kind"] if one["kind"] == "scrap") for side in (old, new)]
    assert scrap[1]["postings"] > scrap[0]["postings"]
    assert new["calls"] > old["calls"]
    assert new["latency_us"]["scrap"]["p95"] <= 3_600_000_000 < old["latency_us"]["scrap"]["p95"]
    assert new["latency_us"]["yield"] == old["latency_us"]["yield"]
    assert all("|scrap|" in one["account"] for one in outcome.json["differences"])
    assert {path: path.stat().st_mtime_ns for path in demo.out.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "state --input FILE"),
        (("--from-topic",), "state --input FILE"),
        (("--input", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_what_simulate_cannot_do(arguments: tuple[str, ...], says: str) -> None:
    outcome = lineledger("rules", "simulate", "--config", CONFIGURATION, *arguments)
    assert outcome.code == 2
    assert says in outcome.said


def test_explain_names_the_rule_that_posted(demo: Demo) -> None:
    row = next(row for row in demo.ledger.of(ACCOUNT_ROWS) if row.kind == "yield" and row.material == "4711" and row.issued)
    key = next(key[2:] for key, known in demo.ledger.rows["orders"].items() if known is row)
    outcome = lineledger("rules", "explain", key, "--out", demo.out, "--json")
    assert outcome.code == 0, outcome.said
    assert outcome.json["rule"]["text"] == row.issued[0].rule
    assert outcome.json["rule"]["version"] == row.issued[0].rule_version
    assert [one["why"] for one in outcome.json["lost"]] == ["less specific: material weighs more than naming nothing"]


def test_explain_from_the_files_alone(demo: Demo) -> None:
    outcome = lineledger(
        *("rules", "explain", "BRN1|X|10|4711|L|yield|||2026-11-20", "--config", CONFIGURATION, "--at", "2026-11-20T10:00:00Z")
    )
    assert outcome.code == 0, outcome.said
    assert "Wins" in outcome.said
    assert "shift_end: 20 Nov 2026 14:00:00 CET" in outcome.said
    assert lineledger("rules", "explain", "nothing", "--config", CONFIGURATION).code == 1
    assert read(demo.out).about == demo.ledger.about
