"""What a refusal says to the person who has to mend it: the cause, and what to write in plant.yaml."""

import json
import re
from typing import Any

import pytest

from streams.mapping import Mapper, RefusedRecord
from tests.unit.streams.mapping.sources import mapper_of, one, record

DECLARED = {"emit": "ProductionDeclared", "order": "o", "quantity": {"path": "q", "decimals": "0", "unit": "u"}}


def said(mapper: Mapper, value: bytes | str | dict[str, Any]) -> tuple[str, str]:
    item = one(mapper, value)
    assert isinstance(item, RefusedRecord)
    return item.code, item.detail


def table(**read: Any) -> Mapper:
    found = {"format": "csv", "event_id": "position", "occurred_at": "at", "equipment": "m", **read}
    return mapper_of([DECLARED], found)


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        ({}, "at;m;o;q;u\n2026-11-20T22:00:00Z;M1;1;2;PC", 'with `delimiter: ";"` it fits'),
        ({"delimiter": ";"}, "at\tm\to\tq\tu\n2026-11-20T22:00:00Z\tM1\t1\t2\tPC", 'with `delimiter: "\\t"` it fits'),
        ({"columns": ["at", "m", "o", "q", "u"]}, "2026-11-20T22:00:00Z;M1;1;2;PC", 'with `delimiter: ";"` it fits'),
        ({}, "at,m,o,q,u\n2026-11-20T22:00:00Z,M1,\xfc,2,PC".encode("latin-1"), "is no utf-8 text; state its encoding"),
        ({}, 'at,m,o,q,u\n2026-11-20T22:00:00Z,M1,"1,2,PC', "a quote is open"),
        ({"delimiter": ";"}, "a;b\n1;2", "the header has no column"),
    ],
)
def test_a_table_of_another_kind(read: dict[str, Any], value: str | bytes, says: str) -> None:
    code, detail = said(table(**read), value)
    assert (code, says in detail) == ("BAD_LINE", True), detail


def test_no_delimiter_is_recommended_that_does_not_help() -> None:
    assert "it fits" not in said(table(delimiter=";"), "a,b;c\n1,2;3")[1]


RELEASED = {
    "emit": "OrderReleased",
    "order": "o",
    "items": [{"item": "=1", "material": "=A", "quantity": {"path": "n", "decimals": "0", "unit": "=PC"}}],
    "operations": [{"operation": "=10"}],
    "components": {
        "each": "c",
        "item": "=1",
        "operation": "=10",
        "mode": "=declared",
        "material": "m",
        "base": "b",
        "quantity": {"path": "q", "decimals": "0", "unit": "u"},
    },
}
STARTED = {"emit": "RunStarted", "run": "=R", "order": "o", "operation": "=10", "outputs": [{"material": "m", "factor": "f"}]}
LOGGED_ON = {"emit": "LabourRecorded", "person": "p", "action": "=on", "share_numerator": "n", "share_denominator": "d"}


@pytest.mark.parametrize(
    ("rule", "value", "field", "stated"),
    [
        (RELEASED, {"o": "1", "n": 5, "c": [{"m": "A", "q": 3, "u": "PC", "b": ""}]}, "base", "components"),
        (STARTED, {"o": "1", "m": "A", "f": ""}, "factor", "outputs"),
        (LOGGED_ON, {"p": "1", "n": "", "d": "2"}, "share_numerator", ""),
        (LOGGED_ON, {"p": "1", "n": "1", "d": ""}, "share_denominator", ""),
    ],
)
def test_what_scales_a_quantity_is_not_silently_one(rule: dict[str, Any], value: dict[str, Any], field: str, stated: str) -> None:
    """A value that is there and empty. One that is not there has its default."""
    read = {"event_id": "id", "occurred_at": "ts", "equipment": "=M1"}
    whole = {"id": "1", "ts": "2026-11-20T22:00:00Z", **value}
    code, detail = said(mapper_of([rule], read), whole)
    assert code == "MISSING_FIELD" and stated in detail and f"`{field}` is empty; where that means 1" in detail
    allowed = json.loads(re.sub(rf'("{field}": "\w+)"', r'\1 || =1"', json.dumps(rule)))
    assert not isinstance(one(mapper_of([allowed], read), whole), RefusedRecord), "as the refusal says"
    absent = json.loads(json.dumps(whole), object_hook=lambda node: {name: value for name, value in node.items() if value != ""})
    assert not isinstance(one(mapper_of([rule], read), absent), RefusedRecord)


@pytest.mark.parametrize(
    ("occurred_at", "value", "says"),
    [
        ("ts", "1969-12-31T23:00:00Z", "lies before 1970: the clock was not set"),
        ({"path": "ts", "date": "%d.%m.%Y %H:%M"}, "01.01.1900 00:00", "lies before 1970: the clock was not set"),
        ({"path": "ts", "date": "epoch_ms"}, "1795212000", "is it in another unit"),
        ("ts", "20.11.2026", "is no ISO 8601 time; another form is stated with `date`"),
        ({"path": "ts", "date": "%d.%m.%Y %H:%M"}, "2026-11-20", "is no time of `date: %d.%m.%Y %H:%M`"),
        ({"path": "ts", "date": "epoch_ms"}, "noon", "is no time of `date: epoch_ms`"),
        ({"path": "ts", "date": "excel"}, "noon", "is no time of `date: excel`"),
    ],
)
def test_times(occurred_at: Any, value: str, says: str) -> None:
    mapper = mapper_of([{"emit": "OrderClosed", "order": "=1"}], {"event_id": "id", "occurred_at": occurred_at})
    code, detail = said(mapper, {"id": "1", "ts": value})
    assert (code, says in detail) == ("BAD_TIME", True), detail


@pytest.mark.parametrize("unit", ["", " ", None])
def test_an_empty_unit(unit: str | None) -> None:
    code, detail = said(mapper_of([DECLARED]), record(o="1", q="2", u=unit))
    assert (code, detail) == ("BAD_UNIT", "`quantity` (`q`): there is no unit: its field is empty or missing")


@pytest.mark.parametrize(
    ("rule", "value", "says"),
    [
        ({}, {"o": "1", "q": "2,5", "u": "PC", "ts": "2026-11-20T22:00:00Z"}, "`quantity` (`q`): "),
        ({}, {"o": "1", "q": "2", "u": "PC", "ts": "soon"}, "`occurred_at` (`ts`): "),
        ({"occurred_at": "made"}, {"o": "1", "q": "2", "u": "PC", "made": "soon"}, "`occurred_at` (`made`): "),
        (
            {"quantity": {"path": "quantity", "unit": "=PC"}},
            {"o": "1", "quantity": "x", "ts": "2026-11-20T22:00:00Z"},
            "`quantity`: ",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_field_and_where_it_stands(rule: Any, value: dict[str, Any], says: str) -> None:
    mapper = mapper_of([{**DECLARED, **rule}], {"event_id": "o", "occurred_at": "ts"})
    code, detail = said(mapper, value)
    assert code in ("BAD_DECIMAL", "BAD_TIME")
    assert detail.startswith(says), detail


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"v": "n/a"}, "`value` (`v`): `n/a` is no decimal number"),
        ({"v": "1.5"}, "`value` (`v`): `1.5` has more than 0 decimals"),
        ({"v": 2**64}, "`value` (`v`): "),
        ({"v": "1", "ts": "soon"}, "`occurred_at` (`ts`): "),
        ({}, "the reading has no `value`"),
    ],
)
def test_a_reading_is_named_with_its_field_and_where_it_stands(value: dict[str, Any], says: str) -> None:
    rule = {"emit": "CounterReading", "counter": "=shots", "value": "v"}
    mapper = mapper_of([rule], {"event_id": "position", "occurred_at": "ts", "equipment": "=M1"})
    _, detail = said(mapper, {"ts": "2026-11-20T22:00:00Z", **value})
    assert detail.startswith(says), detail


def test_a_quantity_and_a_reading_are_quoted_alike() -> None:
    assert said(mapper_of([DECLARED]), record(o="1", q="n/a", u="PC"))[1] == "`quantity` (`q`): `n/a` is no decimal number"
