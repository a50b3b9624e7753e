"""Whose turn it is: holds, completion and the rest share the calls; nothing waits for ever."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tables.delivery.outbox import Dispatch
from tables.delivery.tiers import COMPLETION, HOLDS, RAISE_US, REST, Tiers, Turn
from tests.unit.streams.quality_bench import Bench, S, configuration, lot_state, posting
from tests.unit.streams.test_delivery import ended

ALONE = {"adapter": "sim", "lines_per_document": 1, "concurrency": 1}


def calls(desk: Bench, entries: list[Any], most: int) -> list[str]:
    """Posting ids in the order of their calls, at an ERP that takes them all."""
    sent: list[str] = []
    entries = list(entries)
    while entries and len(sent) < most:
        entry = entries.pop(0)
        if isinstance(entry, Dispatch):
            sent.append(entry.posting_id)
            entries += desk.fold(ended(entry.posting_id, "accepted", entry.attempt, erp_document=f"D{len(sent)}"))
    return sent


def test_old_postings_of_the_lowest_tier_get_their_share() -> None:
    """300 calls, and orders to finish without end: 2 of 20 old postings went out."""
    desk = Bench(configuration(erp={"erp": ALONE}))
    desk.fold(*(posting(f"R{n}", order=f"R{n}", account=f"R{n}", cut=1 * S) for n in range(20)))
    desk.fold(*(posting(f"C{n}", order=f"C{n}", account=f"C{n}", cut=2 * S, final=True) for n in range(400)))
    sent = calls(desk, desk.clock(10 * S), 300)
    assert sum(name.startswith("R") for name in sent) == 20
    assert sum(name.startswith("R") for name in sent[:40]) >= 8


def test_holds_go_first_and_the_others_have_a_share() -> None:
    desk = Bench(configuration(erp={"erp": ALONE}, rules={"on_hold": {"receipt": "into_blocked_stock"}}))
    desk.fold(*(posting(f"R{n}", order=f"R{n}", account=f"R{n}") for n in range(100)))
    desk.fold(*(posting(f"C{n}", order=f"C{n}", account=f"C{n}", final=True) for n in range(100)))
    desk.fold(*(posting(f"H{n}", order=f"H{n}", account=f"H{n}", lot="L9") for n in range(100)))
    desk.fold(lot_state("L9", True))
    sent = calls(desk, desk.clock(10 * S), 100)
    share = {tier: sum(name.startswith(tier) for name in sent) for tier in "HCR"}
    assert share["H"] in range(57, 63)
    assert share["C"] in range(28, 33)
    assert share["R"] in range(8, 13)


def test_a_lot_that_goes_on_hold_while_it_is_queued_changes_the_turn() -> None:
    desk = Bench(configuration(erp={"erp": ALONE}, rules={"on_hold": {"receipt": "into_blocked_stock"}}))
    desk.fold(*(posting(f"R{n}", order=f"R{n}", account=f"R{n}") for n in range(30)))
    desk.fold(posting("H", order="H", account="Z", lot="L9"))
    entries = desk.clock(10 * S)
    desk.fold(lot_state("L9", True))
    assert "H" in calls(desk, entries, 4)


def turn(cut: int, name: str = "P") -> Turn:
    return Turn(cut, False, name, 1, name)


def test_age_raises_a_lane_to_the_tier_above() -> None:
    tiers = Tiers[str]()
    for n in range(100):
        tiers.push((COMPLETION, turn(RAISE_US + n)), f"C{n}")
    tiers.push((REST, turn(0)), "old")
    tiers.push((REST, turn(RAISE_US)), "young")
    order = [tiers.pop(lambda key, rank: True) for _ in range(10)]
    assert order[0] == "old"
    assert order.index("young") > 0


@given(st.lists(st.tuples(st.sampled_from([HOLDS, COMPLETION, REST]), st.integers(0, 3 * RAISE_US)), max_size=60), st.data())
def test_everything_comes_out_once_and_no_tier_starves(entries: list[tuple[int, int]], data: st.DataObject) -> None:
    tiers, waiting, waited = Tiers[int](), {}, dict.fromkeys((HOLDS, COMPLETION, REST), 0)
    for key, (tier, cut) in enumerate(entries):
        tiers.push((tier, turn(cut, f"{key:03}")), key)
        waiting[key] = tier
    while waiting:
        key = tiers.pop(lambda key, rank: key in waiting)
        assert key is not None
        taken = waiting.pop(key)
        for tier in waited:
            waited[tier] = waited[tier] + 1 if tier != taken and tier in waiting.values() else 0
            assert waited[tier] <= 12 + 60, "it waits for ever"
    assert tiers.pop(lambda key, rank: True) is None
