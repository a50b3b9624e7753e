"""The commands of a report find the ledger of their run: the folder is named when it is another than the default."""

from dataclasses import replace

import pytest

from app.erp.telemetry_check import Finding
from app.ledger.proof.balance import Proof
from app.ledger.questions import report
from app.ledger.questions.needs import Need

PLAIN = report.Report(
    plant="P", erp="no ERP", embedded=False, in_memory=True, first_at=0, last_at=0, seconds=1.0, rate=1.0, raw={},
    calls={"attempts": 0, "read_backs": 0, "retries": 0, "postings": 0}, telemetry=Finding(0, 0, ()), balances=[],
    proof=Proof(), erp_check={}, needs=[Need("1 count unattributed", 0, "shift lead", "lineledger trace M1")], late=[],
    tallies={}, variances=[], quality={"lots": 0, "held": 0}, zone="UTC", falls=[], refused_inputs=[],
    files=["postings.csv"], example="ID",
)  # fmt: skip


@pytest.mark.parametrize(
    ("out", "header", "example"),
    [
        ("out", "next step", "lineledger trace ID"),
        ("out/demo", "next step (add --out out/demo)", "lineledger trace ID --out out/demo"),
    ],
)
def test_commands_name_the_folder(out: str, header: str, example: str) -> None:
    lines = report.text(replace(PLAIN, out=out)).splitlines()
    assert [line.endswith(header) for line in lines if line.startswith("Needs somebody")] == [True]
    assert lines[-1].endswith(f"Try: {example}")


def test_a_run_that_read_nothing_is_not_exact() -> None:
    """An empty file is no day on which nothing happened."""
    beside = replace(PLAIN, empty_inputs=["in/leer.csv"])
    assert "in/leer.csv: no record was read from it" in report.text(beside).splitlines()
    assert beside.exact
    alone = replace(beside, all_empty=True)
    assert "in/leer.csv: no record was read from it    NOT EXACT: nothing was read" in report.text(alone).splitlines()
    assert not alone.exact
