"""The demo plant, from raw files to ERP: what the ledger says is what happened on the floor, account by account."""

import re
from collections import Counter, defaultdict
from fractions import Fraction
from typing import NamedTuple

from app.demo.recordings import PIECES, TOOL_ROOM
from app.demo.truth import Account, Truth
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof
from tables.orders.account import account_key
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS
from tests.e2e.conftest import Demo
from tests.e2e.exported import account_of, beside, rows, totals

RECORDED = {order.number for order in TOOL_ROOM}
"""Orders of the recordings: the floor's truth knows nothing of them."""


class ErpUnit(NamedTuple):
    """`size`: units of the truth in one unit of the ERP. `step`: what the ERP can book at least."""

    size: int
    step: Fraction


PRINTED = Fraction(8, 2 * 10**18)
"""Half of the last digit that JSON prints, of eight numbers: minutes have no last digit."""
UNITS = {"PC": ErpUnit(1, Fraction(1)), "kg": ErpUnit(1, Fraction(1, 1000)), "ms": ErpUnit(60_000, Fraction(1, 10))}
STEPS = {"PC": UNITS["PC"].step, "kg": UNITS["kg"].step, "min": UNITS["ms"].step}


def in_ledger(truth: Truth) -> dict[Account, Fraction]:
    """The truth by accounts of the ledger, in units of the ERP. Pieces may come back from rework under another reason than
    the one they left with: what is open has none."""
    sums: dict[Account, Fraction] = defaultdict(Fraction)
    for account, amount in truth.accounts.items():
        sums[account._replace(reason="") if account.kind == "rework" else account] += amount / UNITS[truth.units[account]].size
    return dict(sums)


def recorded(ledger: Snapshot, proof: Proof) -> dict[Account, Fraction]:
    """Exact recorded quantity by account of the truth; ledger accounts that differ only by place are one there."""
    sums: dict[Account, Fraction] = defaultdict(Fraction)
    for row in ledger.of(ACCOUNT_ROWS):
        if account_key(row) in proof.accounts:
            account = Account(row.order, row.operation, row.material, row.lot, row.kind, row.reason, row.business_date)
            sums[account] += proof.accounts[account_key(row)].recorded
    return {account: amount for account, amount in sums.items() if amount}


def test_the_demo_ran_on_the_shift_whose_truth_is_compared(demo: Demo) -> None:
    (raw,) = demo.out.glob("input-*")
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == {
        path.name: path.read_bytes() for path in demo.truth.files.values()
    }


def test_every_account_has_recorded_exactly_what_happened(demo: Demo) -> None:
    found = recorded(demo.ledger, demo.proof)
    simulated = {account: amount for account, amount in found.items() if account.order not in RECORDED}
    assert simulated == in_ledger(demo.truth)
    kinds = {account.kind for account in simulated}
    assert kinds == {"yield", "scrap", "rework", "consumption", "machine_time", "setup_time"}
    made = {(key.order, key.material): amount for key, amount in found.items() if key.order in RECORDED and key.kind == "yield"}
    assert made == PIECES


def test_the_two_files_together_are_the_truth_rounded_once(demo: Demo) -> None:
    postings = demo.out / "postings.csv"
    lines = [*rows(postings), *(row for row in rows(beside(postings)) if row["status"] != "unattributed")]
    found = {account: amount for account, amount in totals(lines).items() if account.order not in RECORDED}
    expected = in_ledger(demo.truth)
    assert found.keys() == expected.keys()
    steps = {account_of(row): STEPS[row["uom"]] for row in lines}
    for account, amount in expected.items():
        assert found[account] % steps[account] == 0
        assert abs(found[account] - amount) * 2 <= steps[account], account
    assert {row["status"] for row in rows(postings)} == {"accepted"}


def test_the_excess_of_the_tight_order_is_parked_and_nothing_else(demo: Demo) -> None:
    truth = demo.truth
    assert truth.parked, "the shift over-delivers"
    parked = [row for row in rows(beside(demo.out / "postings.csv")) if row["status"] == "parked"]
    assert {(account_of(row), Fraction(row["quantity"]), row["code"]) for row in parked} == {
        (account, amount, "OVER_DELIVERY") for account, amount in truth.parked.items()
    }
    assert all(row["sources"] for row in parked), "what is parked can be traced to its records"
    posted = totals(rows(demo.out / "postings.csv"))
    for account in truth.parked:
        assert posted[account] == truth.limits[account.order]


def test_no_order_got_more_than_its_limit(demo: Demo) -> None:
    posted: Counter[tuple[str, str]] = Counter()
    for account, amount in totals(rows(demo.out / "postings.csv")).items():
        if account.kind == "yield" and account.order not in RECORDED:
            posted[account.order, account.material] += int(amount)
    assert posted and {key: pieces for key, pieces in posted.items() if pieces > demo.truth.limits[key[0]]} == {}


def test_what_no_run_covers_is_listed_and_not_posted(demo: Demo) -> None:
    listed = [row for row in rows(beside(demo.out / "postings.csv")) if row["status"] == "unattributed"]
    assert {row["material"]: int(row["quantity"]) for row in listed} == demo.truth.unattributed
    assert {row["code"] for row in listed} == {"UNATTRIBUTED"}
    assert all(row["sources"] for row in listed)
    known = {entry.equipment: entry.quantity for entry in demo.proof.unattributed}
    assert known == demo.truth.unattributed


def test_every_line_of_the_second_file_has_a_code(demo: Demo) -> None:
    found = rows(beside(demo.out / "postings.csv"))
    assert {row["code"] for row in found} == {"OVER_DELIVERY", "CONFIRMED_BY_MILESTONE", "UNATTRIBUTED"}
    assert all(re.fullmatch("[A-Z][A-Z_]+", row["code"]) for row in found)


def test_every_refused_record_is_an_exception_with_its_code(demo: Demo) -> None:
    refused = Counter((letter.source, letter.code) for letter in demo.ledger.letters)
    planted = demo.truth.planted
    expected = {**planted.refused, ("presses", "SEQ_CONFLICT"): planted.conflicting_readings}
    assert {key: count for key, count in refused.items() if key[0] in demo.truth.files} == expected
    by_intake = [letter for letter in demo.ledger.letters if letter.stage == "intake"]
    assert demo.outcome.json["raw"]["refused"] == len(by_intake)


def test_every_record_is_counted_as_something(demo: Demo) -> None:
    raw = demo.outcome.json["raw"]
    tally: Counter[str] = Counter()
    for row in demo.ledger.of(EQUIPMENT_ROWS):
        if row.equipment not in {order.equipment for order in TOOL_ROOM}:
            tally.update(row.tally)
    planted = demo.truth.planted
    assert tally["conflicts"] == planted.conflicting_readings
    assert tally["resets"] == planted.resets
    assert tally["placeholders"] == planted.placeholders
    assert tally["rollovers"] == planted.roll_overs
    assert planted.duplicate_readings <= tally["duplicates"] <= planted.duplicate_readings + planted.duplicate_events
    assert raw["raw"] >= sum(demo.truth.records.values())
    assert demo.ledger.about["records"] == raw["raw"]


def test_the_report_is_exact_and_agrees_with_the_erp(demo: Demo) -> None:
    report = demo.outcome.json
    assert report["exact"] is True
    assert report["differences"] == []
    assert report["erp"]["orders"] == report["erp"]["agreeing"] > 0
    counted = demo.truth.counted + sum(PIECES.values())
    assert {unit: Fraction(value) for unit, value in report["counted"].items()} == {"PC": counted}
    assert "EXACT" in (demo.out / "report.txt").read_text(encoding="utf-8")
    for entry in report["balances"]:
        parts = ("posted", "waiting", "held", "parked", "pending", "covered", "carry")
        rest = Fraction(entry["recorded"]) - sum(Fraction(entry[part]) for part in parts)
        assert abs(rest) <= PRINTED, entry["kind"]
