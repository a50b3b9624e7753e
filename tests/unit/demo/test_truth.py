"""The truth, derived again in other ways: by plain subtraction where a machine is clean, and by the equipment fold for all."""

from collections import defaultdict
from fractions import Fraction

from app.demo.shift import BUSINESS_DATE
from app.demo.truth import Account
from tests.unit.demo.folded import Folded, fold
from tests.unit.demo.raw_files import Shift, messages


def test_gross_of_a_clean_machine_is_last_minus_first_reading(shift: Shift) -> None:
    """PCK-01 and IMM-12 never reset; their counts and factors need no fold."""
    shown = sorted(
        (m["t"], m["n"]) for m in messages(shift.truth.files["stations"]) if m["station"] == "PCK-01" and m["ev"] == "count"
    )
    made = [pieces for made, pieces in shift.truth.gross.items() if (made.order, made.operation) == ("1001220", "0030")]
    assert made == [shown[-1][1] - shown[0][1]]
    presses = list(messages(shift.truth.files["presses"]))
    # What contradicts a sequence number was sent under another id and is not true.
    cycles = [m for m in presses if m["machine"] == "IMM-12" and m["type"] == "cycle" and not m["msg"].startswith("again")]
    shots = sorted((m["hdr"]["ts"], m["data"]["shots"]) for m in cycles)
    pieces = sum(n for made, n in shift.truth.gross.items() if made.order in ("1001220", "1001221") and made.operation == "0010")
    assert pieces == 2 * (shots[-1][1] - shots[0][1])


def test_resin_of_a_clean_meter_is_last_minus_first_reading(shift: Shift) -> None:
    meter = [m for m in messages(shift.truth.files["presses"]) if m["machine"] == "IMM-13" and m["type"] == "meter"]
    shown = sorted((m["hdr"]["ts"], Fraction(m["data"]["kg"])) for m in meter)
    used = [a for k, a in shift.truth.accounts.items() if k.order == "1001222" and k.kind == "consumption"]
    assert len(used) == 2, "the resin lot was changed in the middle of the run"
    assert sum(used) == shown[-1][1] - shown[0][1]


def test_scrap_is_what_people_typed(shift: Shift) -> None:
    typed = {}
    for message in messages(shift.truth.files["terminals"]):
        if message["kind"] in ("reject", "rework_nok") and message["uom"] == "PC":
            typed[message["id"]] = int(message["qty"])
    assert shift.truth.total("scrap") == sum(typed.values())


def test_every_counted_piece_is_somewhere(shift: Shift) -> None:
    truth = shift.truth
    at_gross: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for account, amount in truth.accounts.items():
        if account.kind in ("yield", "scrap", "rework"):
            at_gross[account.order, account.operation] += amount
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for made, pieces in truth.gross.items():
        counted[made.order, made.operation] += pieces
    assert len(counted) == 30
    assert {key: at_gross[key] for key in counted} == counted
    for made, pieces in truth.good.items():
        account = Account(made.order, made.operation, made.material, made.lot, "yield", "", BUSINESS_DATE)
        assert truth.accounts[account] == pieces
    assert truth.counted == sum(truth.gross.values()) + sum(truth.good.values()) + 24


def test_no_operation_uses_more_than_the_one_before_made(shift: Shift) -> None:
    pieces: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    passed_on: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for account, amount in shift.truth.accounts.items():
        if account.kind in ("yield", "scrap", "rework"):
            pieces[account.order, account.operation] += amount
        if account.kind == "yield":
            passed_on[account.order, account.operation] += amount
    for (order, operation), needed in pieces.items():
        before = f"{int(operation) - 10:04d}"
        assert operation == "0010" or passed_on[order, before] >= needed


def test_one_order_is_over_delivered_and_no_other(shift: Shift) -> None:
    truth = shift.truth
    assert [account.order for account in truth.parked] == ["1001210"]
    (account, excess), *_ = truth.parked.items()
    assert excess == truth.accounts[account] - truth.limits[account.order] > 0
    over = {k.order for k, amount in truth.accounts.items() if k.kind == "yield" and amount > truth.limits[k.order]}
    assert over == {"1001210"}


def test_the_plant_has_all_that_a_demo_must_show(shift: Shift) -> None:
    truth, planted = shift.truth, shift.truth.planted
    assert truth.unattributed == {"STP-02": 24}
    assert (planted.resets, planted.roll_overs, planted.placeholders, planted.late_runs) == (4, 1, 3, 3)
    assert planted.duplicate_readings > 0 < planted.conflicting_readings
    assert len(truth.completed) >= 8
    assert sorted(bool(hold.released) for hold in truth.holds) == [False, True]
    assert truth.total("rework") > 0
    # More than these accounts cannot be posted at the shift's end; the lead wants a few minutes of a slow ERP at most.
    assert 120 <= len(truth.accounts) <= 240


def test_the_equipment_fold_comes_to_the_same_accounts(shift: Shift) -> None:
    folded: Folded = fold(shift.truth.files)
    assert folded.accounts == shift.truth.accounts
    assert folded.unattributed == shift.truth.unattributed
    planted = shift.truth.planted
    assert folded.tally["conflicts"] == planted.conflicting_readings
    assert folded.tally["placeholders"] == planted.placeholders
    assert folded.tally["duplicates"] + folded.repeated_labels == planted.duplicate_readings + planted.duplicate_events
    assert folded.tally["resets"] == planted.resets
    assert folded.tally["rollovers"] == planted.roll_overs
