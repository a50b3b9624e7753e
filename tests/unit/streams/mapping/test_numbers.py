"""Numbers in the form that a source writes them: read by the stated rule, or refused; never guessed."""

from typing import Any

import pytest

from schemas.configuration.values import number_format
from streams.mapping.items import RefusedInMapping
from streams.mapping.numbers import plain_number
from tests.unit.streams.mapping.sources import mapper_of, one

T = "2026-11-20T22:00:00Z"


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("1234.56", "31.92", "31.92"),
        ("1234.56", "31,92", None),
        ("1234,56", "31,92", "31.92"),
        ("1234,56", "-31,92", "-31.92"),
        ("1234,56", "+5", "+5"),
        ("1234,56", "31.92", None),
        ("1234,56", ",5", "0.5"),
        ("1234,56", "5,", "5"),
        ("1234,56", "1.234,5", None),
        ("1.234,56", "1.234,5", "1234.5"),
        ("1.234,56", "1.234.567", "1234567"),
        ("1.234,56", "1.234", "1234"),
        ("1.234,56", "12.34", None),
        ("1.234,56", "1.2345", None),
        ("1.234,56", "1234,5", "1234.5"),
        ("1.234,56", ".234", None),
        ("1.234,56", "0.525", None),
        ("1.234,56", "00.525", None),
        ("1.234,56", "-0.525", None),
        ("1.234,56", "0,525", "0.525"),
        ("1,234.56", "1,234.5", "1234.5"),
        ("1,234.56", "1,23", None),
        ("1 234,56", "1 234,5", "1234.5"),
        ("1 234,56", "1\u00a0234\u202f567,5", "1234567.5"),
        ("1'234.56", "1\u2019234.5", "1234.5"),
        ("1234,56-", "5,5-", "-5.5"),
        ("1234,56-", "-5,5", "-5.5"),
        ("1234,56-", "-5,5-", None),
        ("1234,56", "5,5-", None),
        ("1234,56", "3,1e1", None),
        ("1234,56", " 5", None),
        ("1234,56", "12 PC", None),
        ("1234,56", "\u0665", None),
        ("1234,56", "9" * 65, None),
        ("1234,56", "UNAVAILABLE", "UNAVAILABLE"),
        ("1234,56", "", ""),
    ],
)
def test_forms(form: str, text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(RefusedInMapping) as refused:
            plain_number(form)(text)
        assert refused.value.code == "BAD_DECIMAL"
    else:
        assert plain_number(form)(text) == expected.removeprefix("+")


@pytest.mark.parametrize("form", ["1.234.56", "1,234,56", "1234", "1.234,5", "1_234.56", "", "1234.56+"])
def test_forms_that_are_none(form: str) -> None:
    with pytest.raises(ValueError, match="is no form of a number"):
        number_format(form)


QUANTITY = {"path": "q", "decimals": "2", "unit": "=PC"}
DECLARED = {"emit": "ScrapDeclared", "quantity": QUANTITY}
CSV = {"format": "csv", "columns": ["time", "q", "n"], "delimiter": ";", "equipment": "=M1", "header": "no"}


@pytest.mark.parametrize(
    ("read", "quantity", "text", "expected"),
    [
        ({}, {}, "1.5", 150),
        ({}, {}, "1,5", "BAD_DECIMAL"),
        ({"number": "1.234,56"}, {}, "1,5", 150),
        ({"number": "1.234,56"}, {}, "1.500", 150_000),
        ({"number": "1.234,56"}, {}, "1.5", "BAD_DECIMAL"),
        ({"number": "1.234,56"}, {"number": "1234.56"}, "1.5", 150),
        ({}, {"number": "1234,56"}, "1,5", 150),
        ({"number": "1234,56"}, {}, "1,555", "BAD_DECIMAL"),
        ({"number": "1234,56"}, {"rounding": "half_away"}, "31,919999999999998", 3192),
        ({"number": "1234,56"}, {"rounding": "half_away"}, "-0,005", -1),
        ({"number": "1234,56"}, {"rounding": "half_away"}, "0,00499999999999999999", 0),
        ({"number": "1234,56"}, {"codes": {"half": "0,5"}}, "half", 50),
        ({"number": "1234,56"}, {"default": "7"}, "", 700),
        ({"number": "1234,56"}, {"trim": "yes"}, " 1,5 ", 150),
    ],
)
def test_quantities(read: dict[str, Any], quantity: dict[str, Any], text: str, expected: int | str) -> None:
    mapper = mapper_of([{**DECLARED, "quantity": {**QUANTITY, **quantity}}], {**CSV, **read})
    item = one(mapper, f"{T};{text};x")
    assert (item.code if isinstance(expected, str) else item.quantity.amount) == expected, item


def test_readings_and_whole_numbers_too() -> None:
    rule = {"when": {"n": "r"}, "emit": "CounterReading", "counter": "=resin", "value": "q"}
    outputs = [{"material": "=X", "factor": "q"}]
    mapper = mapper_of([rule, {"emit": "RunStarted", "outputs": outputs}], {**CSV, "number": "1.234,56"})
    assert one(mapper, f"{T};1.031,5;r").value == 1_031_500
    assert one(mapper, f"{T};UNAVAILABLE;r").value == -(2**63)
    assert one(mapper, f"{T};1.000;f").outputs[0].factor == 1000
    assert one(mapper, f"{T};1,5;f").code == "BAD_DECIMAL"
