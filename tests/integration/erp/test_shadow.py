"""Shadow mode: the plant posts nothing, another interface books, and each difference gets its cause."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import _wire, app
from app.erp.simulator.messages import Foreign, SentMovement
from app.erp.simulator.process import SimulatorProcess
from schemas.records import Quantity
from tests.integration.erp.double_booking import Floor
from tests.unit.streams.ledger_bench import component, item, operation, released
from tests.unit.tables.floor_bench import at

RECEIPT, RESIN = ("receipt", "4711", "L1"), ("issue", "PP", "R1")
Book = Callable[..., None]
EXACT = [(*RECEIPT, "86"), (*RESIN, "9.000")]
"""100 shots, 4 of them scrap and 10 rework; 9 kg declared."""


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    """Nothing is posted: 100 on operation 10, 100 on 20, of which 4 are scrap and 10 open rework; 9 kg of resin used."""
    with SimulatorProcess(tmp_path / "erp") as simulator:
        made = Floor(simulator, tmp_path / "out", plant={"shadow": True})
        operations = [operation("10", False, confirm="each"), operation("20", True)]
        resin = component("PP", "declared", Quantity(100, 3, "kg"), operation="20")
        made.release(released(items=[item()], operations=operations, components=[resin]), ("4711", "PC", 0), ("PP", "kg", 3))
        made.make("10", 100)
        made.make("20", 100)
        made.count("scrap", 4, "20", reason="burr")
        made.count("rework", 10, "20")
        made.count("consumption", 9, "20", material="PP", lot="R1", unit="kg", authority="declarations")
        made.ledger.tick(at("14:00"))
        yield made


def booked(floor: Floor, *movements: tuple[str, str, str, str]) -> None:
    """Each movement in a document of its own: (type, material, lot, quantity)."""
    for type_, material, lot, quantity in movements:
        whole, _, decimals = quantity.partition(".")
        sent = SentMovement(type_, material, int(whole + decimals), len(decimals), "kg" if decimals else "PC", lot)  # type: ignore[arg-type]
        floor.book_foreign(Foreign("O1", [sent]))


def shadow(floor: Floor) -> tuple[int, list[str]]:
    """Exit code and lines of `lineledger shadow` on what the run left behind."""
    assert floor.keep() == {}, "what others booked is no difference of a run that posts nothing"
    if not app.registered_commands:
        _wire()
    found = CliRunner().invoke(app, ["shadow", "--out", str(floor.out)])
    return found.exit_code, found.stdout.splitlines()


def test_an_interface_that_books_the_same_agrees(floor: Floor) -> None:
    booked(floor, *EXACT)
    code, lines = shadow(floor)
    assert (code, lines[0].endswith("AGREES")) == (0, True), lines


CASES: list[Any] = [
    pytest.param(
        [(*RECEIPT, "100"), EXACT[1]], [("receipt: ledger 86, ERP 100", "books gross: scrap and rework of 14")], id="gross"
    ),
    pytest.param(
        [*EXACT, EXACT[0]], [("receipt: ledger 86, ERP 172", "booked 2 times by the interface (documents 1, 3)")], id="twice"
    ),
    pytest.param([*EXACT, (*RECEIPT, "100")], [("ERP 186", "also receives at operation 10")], id="each operation"),
    pytest.param([EXACT[0]], [("lot R1 issue: ledger 9, ERP 0", "the interface booked nothing")], id="nothing"),
    pytest.param(
        [EXACT[0], ("issue", "PP", "R2", "9.000")],
        [
            ("lot R1 issue: ledger 9, ERP 0", "the same quantity is booked under other lots (R2)"),
            ("lot R2 issue: ledger 0, ERP 9", "the same quantity is booked under other lots (R1)"),
        ],
        id="other lot",
    ),
    pytest.param(
        [*EXACT, ("issue", "GLUE", "", "1.000")],
        [("material GLUE lot - issue: ledger 0, ERP 1", "nothing of it was recorded on the shop floor")],
        id="not recorded",
    ),
    pytest.param([(*RECEIPT, "87"), EXACT[1]], [("receipt: ledger 86, ERP 87", "unexplained")], id="no cause is made up"),
]


@pytest.mark.parametrize(("movements", "wanted"), CASES)
def test_each_difference_has_its_cause(floor: Floor, movements: list[Any], wanted: list[tuple[str, str]]) -> None:
    booked(floor, *movements)
    code, (head, *lines) = shadow(floor)
    assert code == 1
    assert len(lines) == len(wanted), lines
    for line, (what, why) in zip(lines, wanted, strict=True):
        assert what in line and why in line, line
    unexplained = sum(why == "unexplained" for _, why in wanted)
    assert head.endswith(f"{len(wanted)} DIFFERENCES, {unexplained} unexplained")


def test_what_the_ledger_still_waits_with_is_named(floor: Floor) -> None:
    """20 more were counted after the shift ended: not due before the next one; the interface has them already."""
    floor.make("20", 120, version=2, business_date="2026-11-20")
    floor.ledger.tick(at("15:00"))
    booked(floor, EXACT[1], (*RECEIPT, "106"))
    code, lines = shadow(floor)
    assert code == 1
    assert "not due in the ledger yet, booked earlier by the interface" in lines[1]
