"""Components: reservations, phantoms, BOM revisions, backflush, co- and by-products, with the postings written out."""

from typing import Any

import pytest

from schemas.records import OrderChanged, OrderItem, Posting, Quantity
from tables.orders.components import shares
from tests.unit.streams.ledger_bench import CUT, Ledger, component, item, operation, released, total
from tests.unit.tables.floor_bench import MIN, at, configuration

T1, T2, T3, EVENING = at("07:00"), at("08:00"), at("09:00"), at("22:00")
USED = {"authority": "declarations", "unit": "kg", "material": "PP", "lot": "R1"}


def ledger(*records: Any, rules: dict[str, Any] | None = None, **more: Any) -> Ledger:
    bench = Ledger(configuration(rules=rules, **more))
    bench.fold(*records)
    return bench


def given(postings: list[Posting]) -> list[tuple[str, int, str]]:
    return [(posting.reservation_item, posting.amount, posting.location) for posting in postings]


def kg(grams: int) -> Quantity:
    return Quantity(grams, 3, "kg")


# -- the same component twice: 1,000 pieces need 50 kg of item 10 and 30 kg of item 20

TWICE = [
    component("PP", item="10", quantity=kg(50), position="1", issue_location="LINE1"),
    component("PP", item="20", quantity=kg(30), position="2", issue_location="LINE2"),
]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param([40], [("10", 40_000, "LINE1")], id="first need not met"),
        pytest.param([60], [("10", 50_000, "LINE1"), ("20", 10_000, "LINE2")], id="the rest on the next"),
        pytest.param([100], [("10", 50_000, "LINE1"), ("20", 50_000, "LINE2")], id="beyond all needs: on the last"),
        pytest.param(
            [40, 60, 55],
            [("10", 40_000, "LINE1"), ("10", 10_000, "LINE1"), ("20", 10_000, "LINE2"), ("20", -5_000, "LINE2")],
            id="a correction takes from the last",
        ),
        pytest.param(
            [60, 30],
            [("10", 50_000, "LINE1"), ("20", 10_000, "LINE2"), ("10", -20_000, "LINE1"), ("20", -10_000, "LINE2")],
            id="and from the first what the last never had",
        ),
    ],
)
def test_needs_are_met_one_after_the_other(declared: list[int], expected: list[tuple[str, int, str]]) -> None:
    bench = ledger(released(T1, components=TWICE), rules={"post": [{"kind": "consumption", "when": "every 1 h"}]})
    for n, amount in enumerate(declared):
        bench.fold(total("consumption", amount, (1, n), T1 + n * 60 * MIN, **USED))
        bench.tick(T1 + n * 60 * MIN)
    assert given(bench.postings) == expected
    bench.check_conservation()


def test_needs_are_of_the_order_not_of_the_account() -> None:
    bench = ledger(released(T1, components=TWICE), total("consumption", 45, (1, 1), T1, **USED))
    bench.fold(total("consumption", 20, (1, 1), T1, **{**USED, "lot": "R2"}))
    assert given(bench.tick(CUT)) == [("10", 45_000, "LINE1"), ("10", 5_000, "LINE1"), ("20", 15_000, "LINE2")]


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ({}, ["10", "20"]),
        ({"position": "2"}, ["20"]),
        ({"operation": "20"}, ["30", "10"]),
    ],
    ids=["in their order", "a stated position decides", "the operation's own first"],
)
def test_whose_need_comes_first(account: dict[str, str], expected: list[str]) -> None:
    parts = [*TWICE, component("PP", item="30", operation="20", quantity=kg(25), position="9")]
    order = released(T1, components=parts, operations=[operation("10", receipt=False), operation("20")])
    bench = ledger(order, total("consumption", 70, (1, 1), T1, **{**USED, **account}))
    assert [posting.reservation_item for posting in bench.tick(CUT)] == expected


@pytest.mark.parametrize("amount", [-70, -5, 0, 1, 49, 50, 51, 80, 500])
def test_shares_always_add_up(amount: int) -> None:
    found = shares(amount, TWICE, {"10": 50, "20": 30}, {"10": 20, "20": 3})
    assert sum(share.amount for share in found) == amount


# -- phantoms

KIT = component("KIT", item="10", quantity=Quantity(1, 0, "PC"), phantom=True)
PARTS = [
    component("SCREW", item="11", quantity=Quantity(4, 0, "PC"), parent="10", issue_location="BIN"),
    component("GLUE", item="12", quantity=kg(5), parent="10", batch_managed=True),
]
KITS = {"authority": "declarations", "unit": "PC", "material": "KIT", "lot": ""}


def test_a_phantom_explodes_to_its_components() -> None:
    bench = ledger(released(T1, components=[KIT, *PARTS]), total("consumption", 3, (1, 1), T1, **KITS))
    assert [(one.material, one.amount, one.reservation_item) for one in bench.tick(CUT)] == [("SCREW", 12, "11")]
    assert bench.account("consumption", material="GLUE").code == "LOT_MISSING", "of a component only: others go on"
    kit = bench.account("consumption", material="KIT")
    assert (kit.covered, kit.posted, kit.code) == (True, 0, "")
    bench.fold(total("consumption", 2, (1, 2), CUT + MIN, **KITS))
    bench.tick(CUT + MIN)
    assert [(one.material, one.amount) for one in bench.tick(EVENING)] == [("SCREW", -4)]
    bench.check_conservation()


def test_a_phantom_within_a_phantom() -> None:
    inner = [
        component("BAG", item="13", quantity=Quantity(2, 0, "PC"), parent="10", phantom=True),
        component("NUT", item="14", quantity=Quantity(6, 0, "PC"), parent="13"),
    ]
    bench = ledger(released(T1, components=[KIT, *inner]), total("consumption", 5, (1, 1), T1, **KITS))
    assert [(one.material, one.amount) for one in bench.tick(CUT)] == [("NUT", 30)]


def test_a_phantom_in_another_unit_needs_a_conversion() -> None:
    bench = ledger(released(T1, components=[KIT, *PARTS]), total("consumption", 3, (1, 1), T1, **{**KITS, "unit": "kg"}))
    assert bench.tick(CUT) == []
    assert bench.codes() == {"consumption": "BAD_UNIT"}
    bench.check_conservation()


def test_a_phantom_whose_components_change_is_what_it_was_when_it_was_used() -> None:
    bench = ledger(released(T1, components=[KIT, *PARTS]), total("consumption", 3, (1, 1), T1, **KITS))
    bench.tick(CUT)
    bolt = component("BOLT", item="11", quantity=Quantity(2, 0, "PC"), parent="10")
    bench.fold(released(CUT + MIN, OrderChanged, change_number="2", components=[KIT, bolt]))
    later = {**KITS, "source_key": "later", "first_at": CUT + MIN, "last_at": CUT + MIN}
    bench.fold(total("consumption", 1, (1, 2), CUT + MIN, **later))
    bench.tick(CUT + MIN)
    assert [(one.material, one.amount) for one in bench.tick(EVENING)] == [("BOLT", 2)]
    screw = bench.account("consumption", material="SCREW")
    assert (screw.code, screw.posted, screw.parked) == ("", 12, 0)


# -- ledger_backflush

FLUSH = {"post": [{"kind": "consumption", "when": ["shift_end"]}]}


@pytest.mark.parametrize(
    ("basis", "authority", "expected"),
    [
        ("gross", "counters", 10_000),
        ("yield", "counters", 9_600),
        ("gross", "declarations", 9_400),
        ("yield", "declarations", 9_000),
    ],
)
def test_the_basis_is_what_the_authority_counted(basis: str, authority: str, expected: int) -> None:
    """100 shots counted, 90 good pieces declared, 4 scrapped; 0.1 kg each."""
    bench = ledger(
        released(
            T1, components=[component(mode="ledger_backflush", basis=basis)], operations=[operation(quantity_from=authority)]
        ),
        total("gross", 100, (1, 1), T1),
        total("good", 90, (1, 1), T1),
        total("scrap", 4, (1, 1), T1),
        rules=FLUSH,
    )
    assert sum(posting.amount for posting in bench.tick(CUT)) == expected


def test_the_rule_decides_the_basis_before_the_component_does() -> None:
    rules = {**FLUSH, "consumption": [{"component": "PP", "by": "ledger_backflush", "basis": "yield"}]}
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), total("scrap", 4, (1, 1), T1), rules=rules)
    assert [posting.amount for posting in bench.tick(CUT)] == [9_600]


def test_a_third_of_a_kilogram_each_is_exact_in_the_end() -> None:
    part = component(mode="ledger_backflush", quantity=Quantity(1, 0, "kg"), base=3)
    bench = ledger(released(T1 - MIN, components=[part]), rules={"post": [{"kind": "consumption", "when": "every 1 h"}]})
    for n in (1, 2, 3):
        bench.fold(total("gross", n, (1, n), T1 + n * 60 * MIN))
        bench.tick(T1 + n * 60 * MIN)
    assert [posting.amount for posting in bench.postings] == [333, 334, 333]


def test_a_substitute_in_the_hopper_is_consumed_as_itself() -> None:
    """10 pieces of the planned material, 20 of another one: the second waits until the order names it."""
    planned = component(mode="ledger_backflush", quantity=kg(100), position="H")
    bench = ledger(released(T1, components=[planned]), rules=FLUSH)
    loaded = {"position": "H", "run": "A", "lot": "L1"}
    bench.fold(
        total("gross", 30, (1, 1), T1),
        total("basis", 10, (1, 1), T1, **loaded, component_material="PP", component_lot="R1", source_key="b1"),
        total("basis", 20, (1, 1), T1, **loaded, component_material="ALT", component_lot="S7", source_key="b2"),
    )
    assert [(one.material, one.lot, one.amount) for one in bench.tick(CUT) if one.kind == "consumption"] == [("PP", "R1", 1000)]
    waits = bench.account("consumption", material="ALT")
    assert (waits.lot, waits.code, waits.parked) == ("S7", "MATERIAL_NOT_IN_BOM", 2000)
    other = component("ALT", item="0020", mode="ledger_backflush", quantity=kg(100), position="H")
    bench.fold(released(CUT + MIN, OrderChanged, change_number="2", components=[planned, other]))
    bench.tick(CUT + MIN)
    bench.check_conservation()


def test_pieces_of_outputs_that_are_planned_in_boxes_are_pieces() -> None:
    """10 pieces of the main output, 20 of a co-product that is planned in boxes of 20."""
    right = OrderItem(item="2", material="R", role="co", quantity=Quantity(10, 0, "BOX"))
    parts = [component(mode="ledger_backflush", quantity=kg(100))]
    bench = Ledger(configuration(rules=FLUSH, plant={"units": {"R": ["1 BOX = 20 PC"]}}))
    bench.fold(released(T1, items=[item(), right], components=parts))
    bench.fold(total("gross", 10, (1, 1), T1), total("gross", 20, (1, 1), T1, material="R", source_key="r"))
    assert [one.amount for one in bench.tick(CUT) if one.kind == "consumption"] == [3000]


def test_by_products_are_no_pieces() -> None:
    items = [item("4711"), item("WASTE", role="by")]
    bench = ledger(released(T1, items=items, components=[component(mode="ledger_backflush")]), rules=FLUSH)
    bench.fold(total("gross", 10, (1, 1), T1), total("gross", 50, (1, 1), T1, material="WASTE"))
    assert [posting.amount for posting in bench.tick(CUT)] == [1000]


# -- BOM revisions


def revised(label: int, revision: str, grams: int, **fields: Any) -> Any:
    cls = {"cls": OrderChanged, "change_number": revision} if revision != "A" else {}
    parts = [component(mode="ledger_backflush", quantity=kg(grams))]
    return released(label, bom_revision=revision, components=parts, **cls, **fields)


@pytest.mark.parametrize(
    ("rule", "expected"), [("revision_of_run", [1000, 4000]), ("latest", [2000, 4000])], ids=["pinned", "latest"]
)
def test_a_bom_change_in_mid_order(rule: str, expected: list[int]) -> None:
    """10 pieces of a run that began with revision A (0.1 kg), 20 of one that began with B (0.2 kg)."""
    bench = ledger(
        revised(T1, "A", 100),
        total("gross", 10, (1, 1), T1, bom_revision="A"),
        revised(T2, "B", 200),
        total("gross", 20, (1, 2), T2, bom_revision="B", source_key="M1|B|gross", run="B"),
        rules={**FLUSH, "order": {"bom": rule}},
    )
    bench.tick(T1)
    bench.tick(T2)
    assert sum(posting.amount for posting in bench.tick(CUT)) == sum(expected)
    row = bench.account("consumption")
    held = [source.numerator * 1000 // source.denominator for source in row.sources.values() if source.numerator]
    assert sorted(held) == expected
    bench.check_conservation()


@pytest.mark.parametrize("told_at", [T1 + MIN, T3], ids=["at once", "after the change"])
def test_what_was_made_before_a_change_keeps_its_bill_without_any_revision(told_at: int) -> None:
    """PP before T2, PE from T2 on, of one revision or of none; a reading of before may arrive after."""
    parts = [component(mode="ledger_backflush", quantity=kg(100))]
    other = [component("PE", mode="ledger_backflush", quantity=kg(200))]
    bench = ledger(released(T1, components=parts), rules=FLUSH)
    bench.fold(released(T2, OrderChanged, change_number="2", components=other))
    bench.fold(total("gross", 10, (1, 1), told_at, first_at=T1, last_at=T1 + MIN))
    after = {"run": "B", "source_key": "M1|B|gross", "first_at": T2, "last_at": T3}
    bench.fold(total("gross", 20, (1, 2), T3, **after))
    for moment in (T1 + MIN, T2, T3):
        bench.tick(moment)
    assert sorted((one.material, one.amount) for one in bench.tick(CUT)) == [("PE", 4000), ("PP", 1000)]
    bench.check_conservation()


def test_each_source_of_one_account_follows_its_own_mode() -> None:
    """Declared by revision A, backflushed by revision B: both count, and neither counts the other's pieces."""
    by_a = [component(mode="declared", quantity=kg(100))]
    bench = ledger(released(T1, bom_revision="A", components=by_a), revised(T2, "B", 200))
    bench.fold(
        total("gross", 50, (1, 1), T1, bom_revision="A", first_at=T1),
        total("consumption", 5, (1, 1), T1, bom_revision="A", first_at=T1, **{**USED, "lot": ""}),
        total("gross", 50, (1, 2), T3, bom_revision="B", run="B", source_key="M1|B|gross", first_at=T2 + MIN),
    )
    for moment in (T1, T2, T3):
        bench.tick(moment)
    assert sum(one.amount for one in bench.tick(CUT) if one.kind == "consumption") == 15_000
    bench.check_conservation()


def test_a_revision_that_the_order_never_had_parks_consumption_and_never_yield() -> None:
    bench = ledger(released(T1, bom_revision="A"), rules={"consumption": [{"component": "*", "by": "declared"}]})
    bench.fold(total("gross", 10, (1, 1), T1, bom_revision="Z"), total("consumption", 1, (1, 1), T1, bom_revision="Z", **USED))
    assert [(posting.kind, posting.amount) for posting in bench.tick(CUT)] == [("yield", 10)]
    assert bench.codes() == {"consumption": "BOM_MISMATCH"}
    bench.fold(released(CUT + MIN, OrderChanged, change_number="2", bom_revision="Z"))
    bench.tick(CUT + MIN)
    assert [(posting.kind, posting.amount) for posting in bench.tick(EVENING)] == [("consumption", 1000)]


# -- co- and by-products


@pytest.mark.parametrize(
    ("role", "receipt", "derived"),
    [
        ("main", "erp_automatic", True),
        ("co", "erp_automatic", False),
        ("by", "erp_automatic", False),
        ("main", "explicit", False),
    ],
)
def test_no_erp_receives_a_co_product_by_itself(role: str, receipt: str, derived: bool) -> None:
    items = [item("4711"), item("4712", role=role)]
    flush = [component(mode="erp_backflush")]
    bench = ledger(
        released(T1, items=items, components=flush, backflush=True),
        total("gross", 10, (1, 1), T1, material="4712"),
        erp={"book": {"yield": {"receipt": receipt}}},
    )
    (posting,) = bench.tick(CUT)
    moved = [(one.type, one.material, one.derived) for one in posting.movements]
    assert moved == [("receipt", "4712", derived)] + ([("issue", "PP", True)] if role == "main" else [])


def test_a_component_is_backflushed_where_its_operation_is_confirmed() -> None:
    """Of two operations the first one confirms no piece of the second: what the ERP will issue is expected once."""
    flush = [component("PP", mode="erp_backflush", operation="20")]
    both = [operation("10", receipt=False, confirm="each"), operation("20", confirm="each")]
    bench = ledger(
        released(T1, operations=both, components=flush, backflush=True),
        total("gross", 100, (1, 1), T1),
        total("gross", 90, (1, 2), T1, operation="20", source_key="M1|B|gross"),
    )
    moved = {one.operation: [(part.type, part.material, part.amount) for part in one.movements] for one in bench.tick(CUT)}
    assert moved == {"10": [], "20": [("receipt", "4711", 90), ("issue", "PP", 9_000)]}
