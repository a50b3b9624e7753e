"""The ERP books more than it is sent (docs/domain.md, Expected movements), and the net of everything equals the
ledger. Each way to book twice is planted once and found, by the check of a run and by `lineledger reconcile`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import _wire, app
from app.erp.simulator.messages import Foreign, SentMovement
from app.erp.simulator.process import SimulatorProcess
from schemas.records import Quantity
from tables.orders import order, postings
from tests.integration.erp.double_booking import Floor
from tests.unit.streams.ledger_bench import component, item, operation, released
from tests.unit.tables.floor_bench import at

MATERIALS = (("4711", "PC", 0), ("CAP", "PC", 0), ("BOX", "PC", 0))
CAP = component("CAP", "erp_backflush", Quantity(2, 0, "PC"), operation="10")
BOX = component("BOX", "erp_backflush", Quantity(1, 0, "PC"), base=48, operation="20")
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(tmp_path / "erp") as process:
        yield process


@pytest.fixture
def floor(simulator: SimulatorProcess, tmp_path: Path) -> Floor:
    return Floor(simulator, tmp_path / "out")


def reconciled(out: Path) -> tuple[int, str]:
    """Exit code and words of `lineledger reconcile`."""
    if not app.registered_commands:
        _wire()
    found = CliRunner().invoke(app, ["reconcile", "--out", str(out)])
    return found.exit_code, found.stdout


def order_with(confirm: tuple[str, str], **flags: Any) -> Any:
    """Operations 10 and 20; 20 receives. 10 puts on two caps, 20 packs 48 into a box."""
    operations = [operation("10", False, confirm=confirm[0]), operation("20", True, confirm=confirm[1])]
    return released(items=[item()], operations=operations, components=[CAP, BOX], **flags)


def twice_in_the_shift(floor: Floor) -> None:
    """100 and then 40 more on operation 10, 90 and 38 on operation 20, in two postings each."""
    floor.make("10", 100)
    floor.make("20", 90)
    floor.post(at("14:00"))
    floor.make("10", 140, version=2)
    floor.make("20", 128, version=2)
    floor.post(at("22:00"))


EACH, MILESTONE = ("each", "each"), ("each", "milestone")
WAYS = [
    pytest.param(EACH, {}, {"sent": 1, "derived": 0}, id="explicit"),
    pytest.param(EACH, {"automatic_receipt": True}, {"sent": 0, "derived": 1}, id="auto_receipt"),
    pytest.param(EACH, {"backflush": True}, {"sent": 1, "derived": 2}, id="backflush"),
    pytest.param(MILESTONE, {}, {"sent": 1, "derived": 0}, id="milestone"),
    pytest.param(MILESTONE, {"automatic_receipt": True, "backflush": True}, {"sent": 0, "derived": 3}, id="all"),
]


@pytest.mark.parametrize(("confirm", "flags", "origins"), WAYS)
def test_net_of_sent_and_derived_equals_the_ledger(
    floor: Floor, confirm: tuple[str, str], flags: dict[str, bool], origins: dict[str, int]
) -> None:
    floor.release(order_with(confirm, **flags), *MATERIALS)
    twice_in_the_shift(floor)
    found = floor.keep()
    assert found["differences"] == []
    assert {name: found["origins"][name] for name in origins} == origins
    code, said = reconciled(floor.out)
    assert (code, said.splitlines()[-1]) == (0, "EXACT")


def every_operation_receives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(postings, "receives", lambda order, operation: True)


def what_is_derived_is_sent(*types: str) -> Plant:
    made = postings.expected_movements

    def plant(patch: pytest.MonkeyPatch) -> None:
        def all_sent(*arguments: Any) -> list[Any]:
            return [replace(one, derived=one.derived and one.type not in types) for one in made(*arguments)]

        patch.setattr(postings, "expected_movements", all_sent)

    return plant


def nothing_is_covered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(order, "covered", lambda *arguments: False)


BUGS = [
    pytest.param(
        every_operation_receives, EACH, {},
        ["order O1 material 4711 lot L1 receipt: ledger 128, ERP 268 (sent 268): other quantity"],
        id="receipt per operation",
    ),
    pytest.param(
        what_is_derived_is_sent("receipt"), EACH, {"automatic_receipt": True},
        ["order O1 material 4711 lot L1 receipt: ledger 128, ERP 256 (sent 128, derived 128): booked twice: sent by the "
         "ledger and derived by the ERP"],
        id="receipt sent beside the automatic one",
    ),
    pytest.param(
        what_is_derived_is_sent("issue"), EACH, {"backflush": True},
        ["order O1 material BOX lot - issue: ledger 3, ERP 6 (sent 3, derived 3): booked twice: sent by the ledger and "
         "derived by the ERP",
         "order O1 material CAP lot - issue: ledger 280, ERP 560 (sent 280, derived 280): booked twice: sent by the ledger "
         "and derived by the ERP"],
        id="backflush sent and derived",
    ),
    pytest.param(
        nothing_is_covered, MILESTONE, {},
        ["order O1 operation 10 confirmed yield: ledger 128, ERP 268 (sent 140, derived 128): booked twice: sent by the "
         "ledger and derived by the ERP"],
        id="predecessors of a milestone sent",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "confirm", "flags", "sentences"), BUGS)
def test_each_planted_double_booking_is_found(
    floor: Floor,
    plant: Plant,
    confirm: tuple[str, str],
    flags: dict[str, bool],
    sentences: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor.release(order_with(confirm, **flags), *MATERIALS)
    with monkeypatch.context() as patch:
        plant(patch)
        twice_in_the_shift(floor)
    assert floor.keep()["differences"] == sentences
    code, said = reconciled(floor.out)
    assert code == 1
    assert all(f"  differs: {sentence}" in said for sentence in sentences)
    assert said.splitlines()[-1].startswith("NOT EXACT")


def test_rules_that_send_what_the_order_lets_the_erp_derive(simulator: SimulatorProcess, tmp_path: Path) -> None:
    """No bug but a contradiction: rules.yaml says ledger_backflush, the order's component flag says erp_backflush."""
    floor = Floor(simulator, tmp_path / "out", {"consumption": [{"component": "CAP", "by": "ledger_backflush"}]})
    floor.release(order_with(EACH, backflush=True), *MATERIALS)
    floor.make("10", 100)
    floor.make("20", 90)
    floor.post()
    (difference,) = floor.keep()["differences"]
    assert difference.startswith("order O1 material CAP lot - issue: ledger ")
    assert reconciled(floor.out)[0] == 1


def test_what_somebody_else_booked_is_listed_with_its_document(floor: Floor) -> None:
    """90 were also received by hand, and 5 caps were taken out and put back."""
    floor.release(order_with(EACH, backflush=True), *MATERIALS)
    twice_in_the_shift(floor)
    receipt = SentMovement("receipt", "4711", 90, 0, "PC", "L1", "FG")
    out, back = (SentMovement("issue", "CAP", amount, 0, "PC") for amount in (5, -5))
    floor.book_foreign(Foreign("O1", [receipt]))
    floor.book_foreign(Foreign("O1", [out, back]))
    found = floor.keep()
    (difference,) = found["differences"]
    assert difference.startswith("order O1 material 4711 lot L1 receipt: ledger 128, ERP 218 (sent 128, foreign 90)")
    assert "booked by somebody else (document " in difference
    assert [sentence.partition(":")[0] for sentence in found["foreign"]] == [
        "order O1 material 4711 lot L1 receipt",
        "order O1 material CAP lot - issue",
    ]
    assert reconciled(floor.out)[0] == 1


def test_a_movement_that_vanished_from_the_erp_is_found(floor: Floor) -> None:
    floor.release(order_with(EACH), *MATERIALS)
    twice_in_the_shift(floor)
    floor.keep()
    kept = floor.out / "erp_book.json"
    kept.write_text(kept.read_text().replace('"amount":38', '"amount":0'))
    code, said = reconciled(floor.out)
    assert code == 1
    assert "receipt: ledger 128, ERP 90" in said
