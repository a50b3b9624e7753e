"""A ledger that an earlier version of the program wrote is read by the schemas that it was written with."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from app.ledger.books.snapshot import FILE
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.previous_version import ADDED

B2MML = PROJECT / "tests" / "data" / "b2mml"


def test_the_questions_read_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = [B2MML / "schedule-sample.xml", B2MML / "performance-sample.xml"]
    inputs = [text for file in files for text in ("--input", str(file))]
    command = [sys.executable, "-m", "tests.e2e.previous_version", "run", "--config", str(B2MML), *inputs, "--out", str(out)]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with closing(sqlite3.connect(out / FILE)) as db:
        (kept,) = db.execute("select value from about where name = 'schemas'").fetchone()
    (account,) = [schema for schema in json.loads(kept).values() if schema["name"] == "AccountRow"]
    assert not ADDED["AccountRow"] & {field["name"] for field in account["fields"]}
    order = lineledger("trace", "2000417", "--out", out, "--json")
    assert order.code == 0, order.said
    posting = next(name for account in order.json["accounts"] for name in account["postings"])
    for question in (["trace", posting], ["parked"], ["exceptions"], ["reconcile"]):
        outcome = lineledger(*question, "--out", out)
        assert outcome.code == 0, outcome.said
