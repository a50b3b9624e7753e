"""An ERP with names of its own: what a run tells its simulated ERP, books there and asks back has them."""

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


@pytest.mark.parametrize("names", NAMES)
def test_a_run_books_by_the_names_of_its_erp(names: str, tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(CASES / "ledger" / "common", case)
    shutil.copytree(CASES / "ledger" / "caps-of-a-box-that-shrank", case, dirs_exist_ok=True)
    (case / "right.json").unlink()
    for file in case.iterdir():  # materials of digits, which a pad is for
        file.write_text(file.read_text(encoding="utf-8").replace('"M"', '"4711"').replace('"LID"', '"4712"'), encoding="utf-8")
    said = '{"say": "material", "at": "2026-05-04T04:00:00Z", "material": "4712", "unit": "PC", "decimals": "0", "lots": "no", "conversions": []}\n'  # noqa: E501
    shop = case / "shop.jsonl"
    shop.write_text(said + shop.read_text(encoding="utf-8"), encoding="utf-8")
    (case / "erp.yaml").write_text(NAMES[names], encoding="utf-8")
    files = [argument for path in inputs(case) for argument in ("--input", path)]
    outcome = lineledger("run", "--config", case, *files, "--erp", "sim", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.said
    assert not rows(beside(tmp_path / "out" / "postings.csv")), outcome.said
    assert "rejected" not in outcome.stdout, outcome.said
    assert "(1 of 1 orders" in outcome.stdout, outcome.said
