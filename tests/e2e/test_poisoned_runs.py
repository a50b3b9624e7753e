"""A record whose folding raises ends no run in memory: it is named and refused, and all others are folded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.demo.master import CONFIGURATION, configuration_for
from app.demo.plant_simulator import generate
from app.erp.of_run import RunErp
from app.inputs.input_files import inputs
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof import balance
from app.ledger.questions import export
from app.run import accused
from app.run.request import RunRequest
from app.run.resume import Asked
from app.run.run import execute
from schemas.codec import Codec
from schemas.records import LotCreated, ScrapDeclared, Tick, Total
from streams.boundary import Handling
from streams.equipment import stage as equipment
from streams.equipment.frames import unpacked
from streams.intake.stage import IntakeStage
from streams.lots import stage as lots
from streams.mapping import Reading
from streams.orders import stage as orders
from streams.orders.records import Reached
from tables.equipment.equipment import EquipmentFold
from tests.e2e.exported import decided_by_the_log

SCALE = 0.02
MET = 3
"""The poisoned record is the one of its kind that is met as this one."""


class Poison:
    """One record, whenever it is folded, in whatever way."""

    def __init__(self) -> None:
        self._met: list[str] = []
        self.raised = 0

    @property
    def record(self) -> str:
        return self._met[-1]

    def taste(self, record: str) -> None:
        """Raises ZeroDivisionError for the one."""
        if len(self._met) < MET and record not in self._met:
            self._met.append(record)
        if record == self.record and len(self._met) == MET:
            self.raised += 1
            raise ZeroDivisionError(record)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(generate(tmp_path_factory.mktemp("floor"), seed=5, scale=SCALE).files.values())


class Outcome(NamedTuple):
    snapshot: Snapshot
    exported: list[bytes]


def run(files: list[Path], out: Path, erp: str = "none", checkpoint: Path | None = None) -> Outcome:
    configuration = configuration_for(erp)
    request = RunRequest(
        configuration=configuration,
        config_dir=CONFIGURATION,
        files=inputs([str(path) for path in files], configuration.plant),
        out=out,
        home=out / "home",
        erp=erp,
        checkpoint=checkpoint,
        asked=None if checkpoint is None else Asked(str(CONFIGURATION), [str(path) for path in files], erp, "", "1", str(out)),
    )
    snapshot = execute(request, _nothing).snapshot
    proof = balance.prove(snapshot)
    assert proof.differences == []
    return Outcome(snapshot, [decided_by_the_log(path) for path in export.write(out / "postings.csv", snapshot, proof)])


def _nothing(snapshot: Snapshot, erp: RunErp, out: Path) -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def whole(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(files, tmp_path_factory.mktemp("whole"))


def fold_failed(outcome: Outcome) -> list[tuple[str, str]]:
    return [(letter.stage, letter.source) for letter in outcome.snapshot.letters if letter.code == "FOLD_FAILED"]


def poisoned(poison: Poison, table: dict[Any, Handling[Callable[..., None]]], kind: Any, patch: pytest.MonkeyPatch) -> None:
    """The handler of one kind in a stage's table tastes each record first."""
    handling = table[kind]

    def handle(*arguments: Any) -> None:
        found = next((one for one in arguments if isinstance(one, LotCreated | ScrapDeclared)), arguments[-1])
        poison.taste(repr(found.record if isinstance(found, Reached) else found))
        handling.handle(*arguments)

    patch.setitem(table, kind, handling._replace(handle=handle))


def test_in_intake(files: list[Path], whole: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, route = Poison(), IntakeStage._route

    def tasted(stage: IntakeStage, step: Any, item: Any, raw: Any, mapper: Any) -> None:
        if type(item) is Reading:
            poison.taste(f"{raw.raw_source}:{raw.raw_offset}")
        route(stage, step, item, raw, mapper)

    monkeypatch.setattr(IntakeStage, "_route", tasted)
    found = run(files, tmp_path)
    ((stage, source),) = fold_failed(found)
    assert stage == "intake" and source
    assert poison.raised == 2


@pytest.mark.parametrize(
    ("stage", "table", "kind", "deaths"),
    [("equipment", equipment.BY_NAME, "ScrapDeclared", 2), ("lots", lots.HANDLERS, LotCreated, 2)],
)
def test_in_a_stage(
    stage: str, table: Any, kind: Any, deaths: int, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = Poison()
    poisoned(poison, table, kind, monkeypatch)
    assert [at for at, _ in fold_failed(run(files, tmp_path))] == [stage]
    assert poison.raised == deaths


@pytest.mark.parametrize(("erp", "kept"), [("none", False), ("sim", True)])
def test_of_a_total_that_waited_the_next_one_says_all(
    erp: str, kept: bool, files: list[Path], whole: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick at which it is folded is not to blame, nor who was told beside it."""
    poison = Poison()
    poisoned(poison, orders.HANDLERS, Total, monkeypatch)  # type: ignore[arg-type]
    found = run(files, tmp_path / "out", erp, tmp_path / "kept" if kept else None)
    assert [at for at, _ in fold_failed(found)] == ["orders"]
    assert found.exported == whole.exported


def test_readings(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gathered from frames of several ticks: the frame is named, and none beside it."""
    poison, fold = Poison(), EquipmentFold.readings

    def tasted(self: Any, counter: str, readings: Any, raw_source: str) -> Any:
        for reading in readings[:, 3].tolist():
            poison.taste(f"{raw_source}:{reading}")
        return fold(self, counter, readings, raw_source)

    monkeypatch.setattr(EquipmentFold, "readings", tasted)
    (letter,) = [one for one in run(files, tmp_path).snapshot.letters if one.code == "FOLD_FAILED"]
    frame = Codec().decode(letter.original)
    assert poison.record in [f"{frame.raw_source}:{raw}" for raw in unpacked(frame.readings)[:, 3].tolist()]
    assert poison.raised >= 2


def test_what_raises_for_ever_ends_the_run(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raised = 0

    def raising(*arguments: Any) -> None:
        nonlocal raised
        raised += 1
        raise ZeroDivisionError("always")

    monkeypatch.setattr(accused, "MOST_BEGINNINGS", 4)
    monkeypatch.setitem(orders.HANDLERS, Tick, orders.HANDLERS[Tick]._replace(handle=raising))
    with pytest.raises(ZeroDivisionError, match="always"):
        run(files, tmp_path)
    assert raised == 4
