"""A table that remembers the headers before it reads every record as one that sees it for the first time."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.configuration.mapping import Read
from streams.mapping.csv_tables import Table
from streams.mapping.items import RefusedInMapping

READ = Read.model_validate({"format": "csv", "event_id": "position", "occurred_at": "t", "delimiter": ";"})
PIECES = st.sampled_from(["a", "b", "x y", '"', '""', ";", "\n", "\r", "\r\n", " ", "\ufeff", "ä", "\x00", "'"])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def found(table: Table, value: bytes) -> Any:
    try:
        return table.read(value)
    except RefusedInMapping as wrong:
        return wrong.code, wrong.detail


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
@example('"a\nb";c', ["1;2", '1;2\n"3;4'])
@example('a"b;"c\nd"', ["1;2", "1;2"])
@example("a;b\r", ["1;2", "", "\n\n", "1;2\n3;4", "1"])
@example("\ufeffa;b", ["1;2", "\ufeff1;2"])
@example("", ["1", "1"])
@example("a\rb;c", ["1;2", "1;2"])
@example("a\r\r\na", [""])
@example('"a";"b"', ["1;2", '1;"2\n3"'])
def test_the_same_with_a_known_header(header: str, rows: list[str]) -> None:
    values = [f"{header}\n{row}".encode() for row in rows] + [header.encode()]
    table = Table(READ)
    for value in [*values, *values]:
        assert found(table, value) == found(Table(READ), value)


@pytest.mark.parametrize("broken", [b"a;b\n1;\xff", b"a;b\n\xff", b"\xff;b\n1;2"])
def test_what_is_no_text_stays_none(broken: bytes) -> None:
    table = Table(READ)
    assert table.read(b"a;b\n1;2") == [{"a": "1", "b": "2"}]
    for _ in range(2):
        assert found(table, broken) == found(Table(READ), broken)


def test_many_headers() -> None:
    table = Table(READ)
    for _ in range(2):
        for number in range(40):
            assert table.read(b"a%d;b\n1;2" % number) == [{f"a{number}": "1", "b": "2"}]
