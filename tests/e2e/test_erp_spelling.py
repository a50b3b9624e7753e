"""An ERP with names of its own: what a run tells its simulated ERP, books there and asks back has them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.cases.test_cases import CASES, inputs
from tests.e2e.command import lineledger
from tests.e2e.exported import beside, rows

NAMES = {
    "its own": "erp: {adapter: sim}\n",
    "units": "erp: {adapter: sim}\nidentifiers: {unit: {PC: EA, BOX: CS}}\n",
    "zeros": "erp: {adapter: sim}\nidentifiers: {order: {pad: 12}, material: {pad: 18}, operation: {pad: 4}}\n",
}

SAY_4711 = {"say": "material", "material": "4711", "unit": "BOX", "decimals": "0", "lots": "no", "conversions": ["1 BOX = 48 PC"]}
SAY_4712 = {"say": "material", "material": "4712", "unit": "PC", "decimals": "0", "lots": "no", "conversions": []}
ITEM = {"item": "1", "material": "4711", "quantity": 100, "unit": "BOX"}
LID = {"item": "1", "material": "4712", "quantity": 1, "base": "1", "unit": "PC", "mode": "ledger_backflush"}
LINES = (
    {**SAY_4711, "at": "2026-05-04T04:00:00Z"},
    {**SAY_4712, "at": "2026-05-04T04:00:00Z"},
    {"say": "order", "at": "2026-05-04T05:00:00Z", "no": "1", "items": [ITEM], "operations": [{"operation": "10", "receipt": "yes"}], "components": [LID]},  # noqa: E501
    {"say": "made", "at": "2026-05-04T08:00:00Z", "order": "1", "material": "4711", "quantity": 480},
    {"say": "time", "at": "2026-05-05T15:00:00Z", "on": "A"},
)  # fmt: skip


@pytest.mark.parametrize("names", NAMES)
def test_a_run_books_by_the_names_of_its_erp(names: str, tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(CASES / "ledger" / "common", case)
    (case / "shop.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    plant = case / "plant.yaml"
    plant.write_text(
        plant.read_text(encoding="utf-8").replace("quantity_from: counters", "quantity_from: declarations"), encoding="utf-8"
    )
    (case / "erp.yaml").write_text(NAMES[names], encoding="utf-8")
    files = [argument for path in inputs(case) for argument in ("--input", path)]
    outcome = lineledger("run", "--config", case, *files, "--erp", "sim", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.said
    assert not rows(beside(tmp_path / "out" / "postings.csv")), outcome.said
    assert "rejected" not in outcome.stdout, outcome.said
    assert "(1 of 1 orders" in outcome.stdout, outcome.said
