"""CSV as it is exported: headers, quoted line breaks, byte order marks, encodings, decimal commas, empty lines."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.configuration.mapping import Read
from streams.mapping.csv_tables import MAX_ROW_LINES, header_names, table_records
from tests.unit.streams.mapping.sources import mapper_of, one, raw

EXPORT = (
    "\ufeffZeitpunkt;Maschine;Auftrag Nr.;Menge;ME;Bemerkung\r\n"
    '20.11.2026 23:00;M1;1001;"1.234,5";PC;"zwei\r\nZeilen; und ""Zitat"""\r\n'
    "\r\n"
    ";;;;;\r\n"
    "20.11.2026 23:01;M1;1002;-7;PC;\r\n"
)
EXPORTED = {
    "format": "csv",
    "delimiter": ";",
    "number": "1.234,56",
    "event_id": "position",
    "occurred_at": {"path": "Zeitpunkt", "date": "%d.%m.%Y %H:%M"},
    "equipment": "Maschine",
}
DECLARED = {
    "emit": "ProductionDeclared",
    "order": "Auftrag_Nr",
    "quantity": {"path": "Menge", "decimals": "1", "unit": "ME"},
    "reason": "Bemerkung",
}


def cut(text: str | bytes, **read: Any) -> list[tuple[int, bytes]]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(table_records(io.BytesIO(content), Read.model_validate({"format": "csv", **read})))


def test_a_file_of_an_office_program() -> None:
    mapper = mapper_of([{**DECLARED, "reason": "ME"}], EXPORTED)
    found = [(number, mapper.map(raw(value, offset=number))) for number, value in cut(EXPORT, delimiter=";")]
    assert [number for number, _ in found] == [2, 5, 6]
    assert [[(item.event_id, item.order, item.quantity.amount) for item in items] for _, items in found] == [
        [("file:2", "1001", 12345)],
        [],
        [("file:6", "1002", -70)],
    ]


def test_a_quoted_field_keeps_its_line_break_and_quotes() -> None:
    mapper = mapper_of([{"emit": "ProcessValue", "name": "=n", "value": "Bemerkung"}], EXPORTED)
    assert one(mapper, cut(EXPORT, delimiter=";")[0][1]).value == 'zwei\r\nZeilen; und "Zitat"'


@pytest.mark.parametrize("encoding", ["utf-8", "cp1250", "latin-1", "cp852"])
def test_encodings(encoding: str) -> None:
    content = "time,name\n2026-11-20T22:00:00Z,Müller\n".encode(encoding)
    mapper = mapper_of(
        [{"emit": "ProcessValue", "name": "=n", "value": "name"}], {"format": "csv", "encoding": encoding, "equipment": "=M1"}
    )
    ((number, value),) = cut(content, encoding=encoding)
    assert (number, one(mapper, value).value) == (2, "Müller")


def test_bytes_in_another_encoding_are_refused() -> None:
    mapper = mapper_of([{"ignore": "true"}], {"format": "csv", "equipment": "=M1"})
    assert one(mapper, "time\nMüller".encode("cp1250")).code == "BAD_LINE"


@pytest.mark.parametrize("encoding", ["utf-32", "utf-7", "klingon", "rot13", "cp037", ""])
def test_encodings_that_cannot_be_cut_into_lines_are_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match="is no encoding that can be read here"):
        Read.model_validate({"format": "csv", "encoding": encoding})


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("a,b\n1,2\n3,4", {}, [(2, b"a,b\n1,2"), (3, b"a,b\n3,4")]),
        ("a,b\r\n1,2\r\n", {}, [(2, b"a,b\n1,2")]),
        ("Report\n\na,b\n1,2\n", {"skip_lines": "2"}, [(4, b"a,b\n1,2")]),
        ("\n\na,b\n\n1,2\n", {}, [(5, b"a,b\n1,2")]),
        ("a,b\n1,2\n", {"columns": ["a", "b"]}, [(1, b"a,b"), (2, b"1,2")]),
        ("1,2\n", {"columns": ["a", "b"], "header": "no"}, [(1, b"1,2")]),
        ("a,b\n", {}, []),
        ("", {}, []),
        ('a,b\n1,"x\n\ny"\n2,z\n', {}, [(2, b'a,b\n1,"x\n\ny"'), (5, b"a,b\n2,z")]),
        ('a,b\n1,5" pipe\n2,z\n', {}, [(2, b'a,b\n1,5" pipe'), (3, b"a,b\n2,z")]),
        ('a,b\n1,"open\n2,z\n3,"w"\n', {}, [(2, b'a,b\n1,"open'), (3, b"a,b\n2,z"), (4, b'a,b\n3,"w"')]),
        ('a,b\n1,"5" pipe"\n2,z\n', {}, [(2, b'a,b\n1,"5" pipe"'), (3, b"a,b\n2,z")]),
    ],
)
def test_where_records_begin_and_end(text: str, read: dict[str, Any], expected: list[tuple[int, bytes]]) -> None:
    assert cut(text, **read) == expected


def test_a_quote_that_never_ends_costs_one_line() -> None:
    rows = [f"{number},x\n" for number in range(2 * MAX_ROW_LINES)]
    found = cut("a,b\n" + '0,"never\n' + "".join(rows))
    assert len(found) == 1 + len(rows)
    mapper = mapper_of([{"ignore": "true"}], {"format": "csv", "occurred_at": "a"})
    assert [item.code for _, value in found for item in mapper.map(raw(value))] == ["BAD_LINE"]


cells = st.text(st.sampled_from('ab;"\n\r, '), max_size=6)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=6))
def test_whatever_a_csv_writer_wrote_comes_back(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(cell.strip("\r\n") for cell in row)]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["one", "two"], *rows])
    mapper = mapper_of([{"ignore": "true"}], {"format": "csv", "delimiter": ";", "occurred_at": "one", "equipment": "two"})
    read = [tuple(node.values()) for _, value in cut(out.getvalue(), delimiter=";") for node in mapper._read(value)]
    assert read == [tuple(row) for row in rows]


def test_names_of_headers_become_names_of_paths() -> None:
    header = [" Order No. ", "Qty (PC)", "Qty (PC)", "", "Qty (PC)", "", "größe"]
    assert header_names(header) == ["Order_No", "Qty_PC", "Qty_PC_2", "", "Qty_PC_3", "", "größe"]


def test_a_column_that_plant_yaml_reads_must_be_in_the_header() -> None:
    rule = {**DECLARED, "material": "Teil || Artikel", "lot": "Charge || =", "reason": {"path": "Grund", "default": "-"}}
    mapper = mapper_of([{**rule, "when": {"Art": "1"}}], EXPORTED)
    value = "Zeitpunkt;Maschine;Auftrag Nr.;Menge;ME;Artikel;Art\n20.11.2026 23:00;M1;1;1;PC;X;1"
    assert one(mapper, value).material == "X"
    for name in ("Zeitpunkt", "Maschine", "Menge", "ME", "Artikel", "Art"):
        refused = one(mapper, value.replace(f"{name};", "other;").replace(f";{name}\n", ";other\n"))
        assert (refused.code, f"`{name}`" in refused.detail) == ("BAD_LINE", True), refused


def test_a_message_may_hold_the_header_and_several_rows() -> None:
    mapper = mapper_of([DECLARED], EXPORTED)
    value = "Zeitpunkt;Maschine;Auftrag Nr.;Menge;ME;Bemerkung\n20.11.2026 23:00;M1;1;1;PC;\n20.11.2026 23:01;M1;2;1;PC;"
    assert [(item.event_id, item.order) for item in mapper.map(raw(value))] == [("file:7", "1"), ("file:7.1", "2")]


def test_private_columns_of_a_header_are_hashed_in_what_is_kept() -> None:
    rule = {"emit": "LabourRecorded", "person": "who", "action": "dir"}
    read = {"format": "csv", "encoding": "cp1250", "equipment": "=M1"}
    mapper = mapper_of([rule], read)
    value = 'time,who,dir,note\n2026-11-20T22:00:00Z,"badge\n0815",on,"ž\nx"'.encode("cp1250")
    kept = mapper.redacted(value)
    assert b"0815" not in kept
    assert one(mapper, kept).person == one(mapper, value).person
    assert mapper.redacted(b"time,who\nshort").startswith(b"unreadable original, ")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        ({"format": "json", "columns": ["a"]}, "`columns` belongs to format csv"),
        ({"format": "shdr", "encoding": "cp1250"}, "`encoding` than utf-8 and utf-16 belongs to format csv"),
        ({"format": "json", "number": "1.234,56"}, "`number` belongs to format csv and xml and ini"),
        ({"format": "csv", "each": "a"}, "`each` belongs to format json and xml"),
        ({"format": "csv", "header": "no"}, "csv without a header needs `columns`"),
        ({"format": "csv", "delimiter": "||"}, "`delimiter` is one character"),
        ({"format": "csv", "number": "1,23"}, "is no form of a number"),
    ],
)
def test_what_does_not_fit_the_format_is_refused(read: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Read.model_validate(read)
