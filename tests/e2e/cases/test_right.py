"""The comparison itself finds what is wrong."""

from tests.e2e.cases.right import Right

POSTED = {
    **dict.fromkeys(
        ("material", "lot", "operation", "business_date", "reason", "location", "reservation_item", "posting_date", "place"), ""
    ),
    "kind": "consumption",
    "order": "1",
    "quantity": "0",
    "final": "no",
    "uom": "kg",
    "code": "",
}


def entry(**columns: str) -> dict[str, str]:
    return {**POSTED, **columns}


def differences(right: Right, *postings: dict[str, str], not_posted: tuple[dict[str, str], ...] = ()) -> list[str]:
    return right.differences(postings, not_posted, ["1 SACK parked"], {})


def test_sums_of_partial_keys() -> None:
    right = Right("", {"consumption:1:RES": "3", "consumption:1:RES@": "1", "consumption:1:RES@L/10": "2", "final:1/10": "1"})
    lot = entry(material="RES", lot="L", operation="10", quantity="2", final="yes")
    bare = entry(material="RES", quantity="1", operation="20")
    assert differences(right, lot, bare) == []
    assert differences(right, lot, bare, bare) == [
        "consumption:1:RES: 4 posted, right: 3",
        "consumption:1:RES@: 2 posted, right: 1",
    ]


def test_a_place_and_what_is_not_stated() -> None:
    right = Right("", {"scrap:1": "7", "scrap:1 place=stock": "5"}, open=None, refused=None)
    stock, output = entry(kind="scrap", quantity="5", place="stock"), entry(kind="scrap", quantity="2")
    assert right.differences([stock, output], [entry(code="BAD_UNIT")], [], {"BAD_TIME": 1}) == []
    assert len(differences(right, entry(kind="scrap", quantity="7"), not_posted=(entry(code="BAD_UNIT"),))) == 1


def test_nothing_beside_the_keys() -> None:
    right = Right("", {"consumption:1:RES@L": "0"})
    assert len(differences(right, entry(material="RES", lot="M", quantity="5"))) == 1
    assert differences(right, entry(kind="yield", quantity="5")) == []


def test_what_is_open_told_and_refused() -> None:
    right = Right("", {}, {"BAD_UNIT consumption:1@LX": "1 SACK"}, ["SACK"])
    waits = entry(lot="LX", quantity="1", uom="SACK", code="BAD_UNIT")
    assert differences(right, not_posted=(waits, entry(code="NOT_DUE"))) == []
    assert len(differences(right, not_posted=(entry(lot="LX", quantity="1", uom="KG", code="BAD_UNIT"),))) == 1
    assert len(differences(right)) == 1
    assert len(differences(right, not_posted=(waits, entry(lot="LY", code="BAD_UNIT")))) == 1
    assert len(differences(Right("", {}, told=["BOX"], refused={"BAD_TIME": 1}, quiet=True))) == 3
