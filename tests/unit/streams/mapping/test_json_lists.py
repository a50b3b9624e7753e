"""A record per element of a list, an element by its name, JSON files as lists and over several lines, byte order marks."""

import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration import load, mappers
from app.inputs.cut_files import CutRecord, cut, cut_or_refused
from app.inputs.file_text import UnreadableFile
from schemas.configuration.mapping import Read
from streams.mapping import MappingError, RawRecord, Reading, RefusedRecord, compile_source
from streams.mapping.json_files import json_values
from streams.mapping.json_records import MAX_ELEMENTS
from tests.unit.streams.mapping.sources import AT, AT_US, mapper_of, one, plant_of, raw, record

DATA = Path(__file__).parents[3] / "data" / "tags"
JSON = Read(format="json")
VALUE = {"emit": "ProcessValue", "name": "=n", "value": "v"}
MS = 1_000


def mapped(source: str) -> list[Any]:
    mapper = mappers(load(DATA))[source]
    (sample,) = (path for path in DATA.iterdir() if path.match(mapper.files[0]))
    return [
        item for number, value in cut(sample, mapper.read) for item in mapper.map(RawRecord(value, source, sample.name, number))
    ]


def test_each_tag_of_a_message_is_a_record_at_its_own_time() -> None:
    items = mapped("gateway")
    readings = [(item.equipment, item.value, item.occurred_at // MS) for item in items if isinstance(item, Reading)]
    assert readings == [
        ("IMM1", 100, 1795154999997),
        ("IMM2", 7000, 1795154999997),
        ("IMM2", 7004, 1795155119997),
        ("IMM1", 130, 1795155119998),
        ("IMM1", 160, 1795155239997),
    ]
    values = [(item.equipment, item.name, item.value, item.occurred_at // MS) for item in items if not isinstance(item, Reading)]
    assert values == [("IMM1", "Temp", "219.5", 1795154999990), ("IMM1", "Temp", "221", 1795155239997)]
    assert next(item.event_id for item in items if not isinstance(item, Reading)).endswith(".1")


def test_a_tag_by_its_name_wherever_it_stands() -> None:
    items = mapped("panel")
    assert [getattr(item, "value", None) or item.code for item in items] == [100, 130, "BAD_FIELD"]
    assert "2 elements with name `Parts`" in items[2].detail


def test_properties_of_xml_by_their_id() -> None:
    (declared,) = mapped("properties")
    assert (declared.equipment, declared.order, declared.lot) == ("IMM1", "300", "B-17")
    assert (declared.quantity.amount, declared.quantity.unit) == (40, "PC")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tags[id=a].v", "1"),
        ("tags[id=L1.Dev[1].Parts].v", "no path"),
        ('tags[id="L1.Dev[1].Parts"].v', "2"),
        ("tags[id=with blank / and (signs)].v", "3"),
        ("tags[id=7].v", "4"),
        ("tags[id=true].v", "5"),
        ("tags[meta.name=deep].v", "6"),
        ("tags[id=absent].v || =none", "none"),
        ("other[id=a].v || =none", "none"),
        ("tags[id=a].list[0].b", "x"),
        ("tags[id=a].list[k=2].b", "y"),
        ("tags[id=twice].v", "BAD_FIELD"),
        ("tags[=a].v", "no path"),
        ("tags[id].v", "no path"),
        ("tags[id=].v", "no path"),
        ("[id=a].v", "no path"),
    ],
)
def test_elements_picked_by_their_names(path: str, expected: str) -> None:
    tags = [
        {"id": "a", "v": 1, "list": [{"k": 1, "b": "x"}, {"k": 2, "b": "y"}]},
        {"id": "L1.Dev[1].Parts", "v": 2},
        {"id": "with blank / and (signs)", "v": 3},
        {"id": 7, "v": 4},
        {"id": True, "v": 5},
        {"meta": {"name": "deep"}, "v": 6},
        {"id": "twice", "v": 1},
        {"id": "twice", "v": 2},
        {"id": ["a"]},
        "a",
        None,
    ]
    rule = {**VALUE, "value": path}
    if expected == "no path":
        plant = plant_of([rule])
        with pytest.raises(MappingError, match="is no path"):
            compile_source("s", plant.sources["s"], plant)
        return
    item = one(mapper_of([rule]), record(tags=tags, other={}))
    assert (item.code if isinstance(item, RefusedRecord) else item.value) == expected


EACH = {"each": "values", "event_id": "position", "occurred_at": "t || $.ts", "equipment": "m || $.m"}


def test_an_object_without_the_list_is_a_record_itself() -> None:
    rules = [{"when": {"_element": "values"}, **VALUE}, {"emit": "ProcessValue", "name": "=whole", "value": "kind"}]
    mapper = mapper_of(rules, EACH)
    found = mapper.map(raw(record(kind="birth")))
    assert [(item.name, item.value, item.event_id) for item in found] == [("whole", "birth", "file:7")]
    assert mapper.map(raw(record(values=[]))) == []
    assert [item.code for item in mapper.map(raw(record(values={"v": 1})))] == ["BAD_FIELD"]


def test_several_lists_and_elements_that_are_no_objects() -> None:
    mapper = mapper_of([VALUE | {"name": "_element", "value": "v || value"}], {**EACH, "each": ["a.good", "a.bad"]})
    found = mapper.map(raw(record(a={"good": [{"v": 1}, 2, "x"], "bad": [{"v": 3}]})))
    assert [(item.name, item.value) for item in found] == [("good", "1"), ("good", "2"), ("good", "x"), ("bad", "3")]
    assert [item.event_id for item in found] == ["file:7", "file:7.1", "file:7.2", "file:7.3"]


def test_one_bad_element_does_not_take_the_others_with_it() -> None:
    mapper = mapper_of([VALUE], EACH)
    found = mapper.map(raw(record(values=[{"v": 1}, {"v": 2, "t": "noon"}, {"v": {}}, {"v": 4}])))
    assert [getattr(item, "code", "") or item.value for item in found] == ["1", "BAD_TIME", "BAD_FIELD", "4"]


def test_an_id_of_the_element_is_its_id_wherever_it_stands() -> None:
    """A repeated element in another message, at another place, is a duplicate."""
    rule = {**VALUE, "also": [{"emit": "OrderClosed", "order": "=1"}]}
    mapper = mapper_of([rule], {**EACH, "event_id": "id"})
    first = mapper.map(raw(record(values=[{"id": "x", "v": 1}, {"id": "y", "v": 2}])))
    again = mapper.map(raw(record(values=[{"id": "y", "v": 2}])))
    assert [item.event_id for item in first] == ["s:x", "s:x.1", "s:y", "s:y.1"]
    assert [item.event_id for item in again] == ["s:y", "s:y.1"]
    of_message = mapper_of([VALUE], {**EACH, "event_id": "$.id"})
    assert [item.event_id for item in of_message.map(raw(record(values=[{"v": 1}, {"v": 2}])))] == ["s:e1", "s:e1.1"]


def test_rows_and_elements_of_one_message_keep_their_own_ids_too() -> None:
    """As records of a file, where each stands alone: the same row sent in another message is a duplicate."""
    common = {"event_id": "id", "occurred_at": f"={AT}", "equipment": "=M1"}
    table = mapper_of([VALUE], {**common, "format": "csv"})
    both, one_row = table.map(raw("id,v\nx,1\ny,2")), table.map(raw("id,v\ny,2"))
    assert [item.event_id for item in (*both, *one_row)] == ["s:x", "s:y", "s:y"]
    document = mapper_of([VALUE], {**common, "format": "xml", "each": "r"})
    found = document.map(raw("<a><r><id>x</id><v>1</v></r><r><id>y</id><v>2</v></r></a>"))
    assert [item.event_id for item in found] == ["s:x", "s:y"]
    of_document = mapper_of([VALUE], {**common, "event_id": "$.id", "format": "xml", "each": "r"})
    found = of_document.map(raw("<a><id>z</id><r><v>1</v></r><r><v>2</v></r></a>"))
    assert [item.event_id for item in found] == ["s:z", "s:z.1"]


def test_the_place_in_the_list_tells_which_of_one_moment_was_told_later() -> None:
    mapper = mapper_of([{"emit": "EquipmentStateChanged", "state": "s"}], {**EACH, "event_id": "id"})
    states = mapper.map(raw(record(values=[{"id": "x", "s": "down"}, {"id": "y", "s": "running"}])))
    assert [(item.event_id, item.raw_part) for item in states] == [("s:x", 0), ("s:y", 1)]


def test_a_message_arrived_when_its_newest_element_says() -> None:
    mapper = mapper_of([VALUE], EACH)
    times = ["2026-11-20T21:00:00Z", AT, "never"]
    assert mapper.arrival(raw(record(values=[{"t": at} for at in times]))) == AT_US


def test_private_values_of_elements_are_hashed_everywhere() -> None:
    rules = [
        {"when": {"k": "person"}, "emit": "LabourRecorded", "person": "badge || $.first[role=operator].badge", "action": "=on"},
        {"emit": "ProcessValue", "name": "=n", "value": "$.values[0].badge"},
    ]
    mapper = mapper_of(rules, EACH, source_private=["$.shift[0].lead", "tags[id=pin].v"])
    value = record(
        values=[{"k": "person", "badge": "007-A"}, {"k": "x", "tags": [{"id": "pin", "v": 4711}, {"id": "n", "v": 12}]}],
        first=[{"role": "operator", "badge": "007-B"}, {"role": "robot", "badge": "R2"}],
        shift=[{"lead": "007-C"}],
    )
    found = mapper.map(raw(value))
    kept = mapper.redacted(json.dumps(value).encode()).decode()
    for secret in ("007", "4711"):
        assert secret not in kept
        assert secret not in repr(found)
    assert found[0].person.startswith("h:")
    assert found[1].value.startswith("h:")
    assert '"R2"' in kept
    assert '"v":12' in kept


def test_a_message_that_is_a_list() -> None:
    mapper = mapper_of([VALUE])
    found = mapper.map(raw(json.dumps([record(v=1), record(v=2, id="e2"), 3])))
    assert [getattr(item, "code", "") or (item.event_id, item.value) for item in found] == [
        ("s:e1", "1"),
        ("s:e2", "2"),
        "BAD_JSON",
    ]
    assert mapper.map(raw("[]")) == []
    for values in ([{}] * (MAX_ELEMENTS + 1), [0] * (MAX_ELEMENTS + 1)):
        assert one(mapper, json.dumps(values)).code == "BAD_JSON"
        assert one(mapper_of([VALUE], EACH), json.dumps({"values": values})).code == "BAD_JSON"


@pytest.mark.parametrize("each", ["values[0]", "values[id=1]", "a b"])
def test_what_is_no_path_to_a_list_is_refused(each: str) -> None:
    plant = plant_of([VALUE], {"each": each})
    with pytest.raises(MappingError, match="is no path of elements"):
        compile_source("s", plant.sources["s"], plant)


ONE, TWO = b'{"a":"}{","n":1}', b'{"a":2}'
PRETTY = b'{\n  "a": "}",\n  "list": [\n    {"b": [1]}\n  ]\n}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ONE + b"\r\n\r\n" + TWO, [(1, ONE), (3, TWO)]),
        (codecs.BOM_UTF8 + ONE + b"\n" + TWO + b"\n", [(1, ONE), (2, TWO)]),
        (PRETTY, [(1, PRETTY)]),
        (PRETTY + b"\n" + PRETTY + b"\n" + TWO, [(1, PRETTY), (7, PRETTY), (13, TWO)]),
        (codecs.BOM_UTF8 + PRETTY.replace(b"\n", b"\r\n"), [(1, PRETTY.replace(b"\n", b"\r\n"))]),
        (b"[" + ONE + b",\n" + TWO + b"]\n", [(1, ONE), (2, TWO)]),
        (b"[\n  " + ONE + b",\n  " + TWO + b"\n]\n", [(2, ONE), (3, TWO)]),
        (b"[\n" + ONE + b"\n," + TWO + b"\n]\n" + TWO, [(2, ONE), (3, TWO), (5, TWO)]),
        (b"[\n" + PRETTY + b",\n" + PRETTY + b"]", [(2, PRETTY), (8, PRETTY)]),
        (b"[\n" + ONE + b"," + TWO + b"," + TWO + b",\n" + TWO + b"]", [(2, ONE), (3, TWO), (4, TWO), (5, TWO)]),
        (b"[" + ONE + b"," + TWO + b"]\n[" + TWO + b"]", [(1, b"[" + ONE + b"," + TWO + b"]"), (2, b"[" + TWO + b"]")]),
        (b"[\n]\n", []),
        # damage costs its own record only
        (b'{"a":\n' + ONE + b"\n" + TWO, [(1, b'{"a":'), (2, ONE), (3, TWO)]),
        (ONE + b'\n{"a":[1\n' + TWO, [(1, ONE), (2, b'{"a":[1'), (3, TWO)]),
        (b'[{"a":1},{"b"\n[' + TWO + b"]", [(1, b'[{"a":1},{"b"'), (2, b"[" + TWO + b"]")]),
        (b"}\n" + ONE, [(1, b"}"), (2, ONE)]),
        (b"oops\n" + ONE, [(1, b"oops"), (2, ONE)]),
        (b"{\n" + b'"a": 1,\n', [(1, b"{"), (2, b'"a": 1,')]),
        # a list that does not end is told
        (b"[\n" + ONE + b",\n" + TWO, [(2, ONE), (3, TWO), (4, b"[")]),
        (b"[\n" + ONE + b"\n" + TWO + b"\n]", [(2, ONE), (3, TWO)]),
        (b'[{\n"a":1}\n"b":2}\n' + TWO, [(1, b'{\n"a":1}'), (3, b'"b":2}'), (4, TWO)]),
        (b"[{\n" + ONE + b"\n" + TWO, [(1, b"{"), (2, ONE), (3, TWO)]),
        (b"[\n" + ONE + b",\n", [(2, ONE), (3, b"[")]),
    ],
)
def test_the_records_of_json_files(tmp_path: Path, content: bytes, expected: list[tuple[int, bytes]]) -> None:
    (tmp_path / "f").write_bytes(content)
    assert list(cut(tmp_path / "f", JSON)) == [CutRecord(*record) for record in expected]


def test_a_byte_order_mark_before_a_message_gives_nothing() -> None:
    value = json.dumps(record(v=1)).encode()
    assert one(mapper_of([VALUE]), codecs.BOM_UTF8 + value).value == "1"
    assert one(mapper_of([VALUE]), codecs.BOM_UTF8 * 2 + value).code == "BAD_JSON"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("pack", [False, True])
def test_text_files_in_utf_16_are_read_as_their_mark_or_the_configuration_says(tmp_path: Path, encoding: str, pack: bool) -> None:
    text = '{"a":"\N{LATIN SMALL LETTER R WITH CARON}"}\r\n{"b":1}\r\n'
    content = text.encode(encoding)
    (tmp_path / "f").write_bytes(gzip.compress(content) if pack else content)
    stated = encoding if encoding.endswith(("le", "be")) else "utf-8"
    found = list(cut(tmp_path / "f", Read(format="json", encoding=stated)))
    assert [value.decode() for _, value in found] == text.split()


def test_a_damaged_utf_16_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes('{"a":1}\n{"b":1}'.encode("utf-16")[:-1])
    with pytest.raises(UnreadableFile, match="BAD_FILE"):
        list(cut_or_refused(tmp_path / "f", JSON))


def test_xml_and_csv_files_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("<?xml version='1.0' encoding=\"UTF-16\"?>\n<a><r>\N{EURO SIGN}</r></a>".encode("utf-16"))
    (value,) = [value for _, value in cut(tmp_path / "x", Read(format="xml", each=["r"]))]
    read = {"format": "xml", "each": "r", "event_id": "position", "occurred_at": f"={AT}", "equipment": "=M1"}
    assert one(mapper_of([{**VALUE, "value": "#text"}], read), value).value == "\N{EURO SIGN}"
    (tmp_path / "c").write_bytes("t;v\r\n1;\N{EURO SIGN}\r\n".encode("utf-16"))
    for encoding, expected in (("utf-8", "utf-8"), ("utf-16", "utf-8"), ("cp1252", "cp1252")):
        found = list(cut(tmp_path / "c", Read(format="csv", delimiter=";", encoding=encoding)))
        assert found == [CutRecord(2, "t;v\n1;\N{EURO SIGN}".encode(expected))]
    with pytest.raises(UnreadableFile, match="BAD_FILE"):
        list(cut(tmp_path / "c", Read(format="csv", delimiter=";", encoding="latin-1")))


def test_an_element_that_does_not_end_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"[\n" + ONE + b",\n{" + b'"a": 1,\n' * 200_000)
    for cutting in (cut, cut_or_refused):
        records = cutting(tmp_path / "f", JSON)
        assert next(records) == CutRecord(2, ONE)
        with pytest.raises(UnreadableFile, match=r"TOO_LARGE: .* line 3 does not end within"):
            next(records)


scalars = st.none() | st.integers() | st.text(max_size=6)
lists = st.lists(scalars, max_size=2) | st.lists(st.just({}), max_size=2)
objects = st.dictionaries(st.text(max_size=3), scalars | lists, min_size=1)
DAMAGE = (b'{"a":1', b'{"a":[1,', b'"b":2}', b"]", b'{"a":"x', b"oops", b"[{", b'[{"a":1},', b'[{"a":[1]},{"b":')
parts_of_files = st.one_of(
    st.tuples(st.just("line"), objects),
    st.tuples(st.sampled_from([0, 1, 4]), objects),
    st.tuples(st.just("damage"), st.sampled_from(DAMAGE)),
)


@given(st.lists(parts_of_files, max_size=12))
def test_no_damage_costs_a_line_behind_it(parts: list[tuple[Any, Any]]) -> None:
    """Every line that is a record by itself comes out as it is, whatever stands before it; numbers never repeat."""
    text: list[bytes] = []
    whole = []
    for kind, content in parts:
        if kind == "damage":
            text.append(content)
        elif kind == "line":
            whole.append(json.dumps(content).encode())
            text.append(whole[-1])
        else:
            text += json.dumps(content, indent=kind).encode().split(b"\n")
    found = list(json_values(line + b"\n" for line in text))
    assert len({number for number, _ in found}) == len(found)
    values = [value for _, value in found]
    assert all(line in values for line in whole)
    if not any(kind == "damage" for kind, _ in parts):
        assert [json.loads(value) for value in values] == [content for _, content in parts]


@given(st.lists(objects, max_size=6), st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_a_list_has_the_records_that_it_holds(content: list[Any], indent: int | None, breaks: bool) -> None:
    text = json.dumps(content, indent=indent).encode()
    if indent is None and breaks:
        text = text.replace(b"}, {", b"},\n{").replace(b"[{", b"[\n{", 1)
    values = [value for _, value in json_values(line + b"\n" for line in text.split(b"\n"))]
    expected = content if b"\n" in text or not content else [content]
    assert [json.loads(value) for value in values] == (expected if text != b"[]" else [[]])
