"""A moulding shop by its MES exports and a configuration written from docs/configuration.md: exact to the piece and milligram."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.ledger.books import snapshot
from app.ledger.proof.balance import prove
from tables.equipment.destination import Destination
from tables.row_kinds import EQUIPMENT_ROWS
from tests.e2e.command import PROJECT, lineledger
from tests.plants import chain, compared, moulding

CONFIG = PROJECT / "tests" / "data" / "moulding"


def check(shop: moulding.Shop, out: Path) -> None:
    arguments = [argument for path in shop.files.values() for argument in ("--input", path)]
    outcome = lineledger("run", "--config", CONFIG, *arguments, "--out", out, "--json", timeout_s=TIMEOUTS[shop.shots > 100_000])
    assert outcome.code == 0, outcome.said
    ledger = snapshot.read(out)
    proof = prove(ledger)
    assert proof.differences == []
    assert compared.differences(compared.recorded(ledger, proof), shop.accounts) == []
    rows = []
    for name in ("postings.csv", "postings.not_posted.csv"):
        with (out / name).open(newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    assert compared.differences(compared.exported(rows), shop.accounts) == []
    nobodys = Counter[str]()
    for key, amount in compared.unattributed(proof).items():
        nobodys[key.equipment] += int(amount) if key.unit == "PC" else 0
    assert nobodys == shop.unattributed
    assert [letter.code for letter in ledger.letters] == []


TIMEOUTS = {False: 300.0, True: 7200.0}


def test_three_days_are_exact_to_the_milligram(tmp_path: Path) -> None:
    shop = moulding.generate(tmp_path / "exports", 1, moulding.SMALL)
    assert shop.shots > 5_000 and shop.runs > 60
    assert sum(shop.unattributed.values()) > 0
    check(shop, tmp_path / "out")


def test_what_equipment_forgot_was_counted_all_the_same(tmp_path: Path) -> None:
    """With a horizon of two days the totals of the first day are settled and gone by the end of the eighth."""
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    plant = config / "plant.yaml"
    plant.write_text(plant.read_text(encoding="utf-8") + "attribution: {late_horizon: 49 h}\n", encoding="utf-8")
    shop = moulding.generate(tmp_path / "exports", 3, moulding.Size(8, 10, 1800))
    ledger = chain.run(config, list(shop.files.values()))
    kept = {
        Destination.parse(key).business_date
        for row in ledger.of(EQUIPMENT_ROWS)
        for key, total in row.totals.items()
        if total.amount and Destination.parse(key).kind == "gross"
    }
    made = sum(amount for account, amount in shop.accounts.items() if account.kind in ("yield", "scrap"))
    assert "2026-03-02" not in kept
    assert prove(ledger).counted == {"PC": made + sum(shop.unattributed.values())}


@pytest.mark.slow
def test_two_months_are_exact_to_the_milligram(tmp_path: Path) -> None:
    """2.5 million shots: `make plants`."""
    shop = moulding.generate(tmp_path / "exports", 1, moulding.FULL)
    assert shop.shots > 2_400_000 and shop.runs > 1_900
    check(shop, tmp_path / "out")


def test_a_shot_that_the_log_lost_is_missed(tmp_path: Path) -> None:
    """The comparison can fail: the truth knows of a shot of a machine without counter that no row tells of."""
    shop = moulding.generate(tmp_path, 2, moulding.Size(1, 4, 1200))
    files = list(shop.files.values())
    ledger = chain.run(CONFIG, files)
    assert compared.differences(compared.recorded(ledger, prove(ledger)), shop.accounts) == []
    text = shop.files["shots"].read_text(encoding="cp1252").splitlines(keepends=True)
    lost = next(number for number, line in enumerate(text) if ";IMM 08;" in line)
    shop.files["shots"].write_text("".join(text[:lost] + text[lost + 1 :]), encoding="cp1252")
    ledger = chain.run(CONFIG, files)
    assert compared.differences(compared.recorded(ledger, prove(ledger)), shop.accounts) != []
