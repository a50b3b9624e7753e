"""XML: what becomes a record, that nothing is expanded or fetched, and that a cut document says the same as the whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration import load, mappers
from app.inputs.cut_files import cut
from schemas.records import EquipmentStateChanged, MaterialConsumed, OrderReleased, ProductionDeclared, Quantity, ScrapDeclared
from streams.mapping import MappingError, RawRecord, compile_source
from streams.mapping.items import RefusedInMapping
from streams.mapping.paths import path_steps
from streams.mapping.xml_documents import MAX_DEPTH, MAX_PARTS, cut_document, read_records
from tests.unit.streams.mapping.sources import AT, mapper_of, one, plant_of, raw

B2MML = Path(__file__).parents[3] / "data" / "b2mml"
VALUE = {"emit": "ProcessValue", "name": "=n", "value": "v"}
READ = {"format": "xml", "each": "row", "occurred_at": "$.at", "equipment": "=M1"}


def document(*rows: str, head: str = "") -> str:
    return f"<doc><at>{AT}</at>{head}{''.join(rows)}</doc>"


def steps(*paths: str) -> list[tuple[str | int, ...]]:
    return [path_steps(path) or () for path in paths]


def test_a_performance_gives_states_and_declarations() -> None:
    mapper = mappers(load(B2MML))["performance"]
    file = B2MML / "performance-sample.xml"
    items = [item for number, value in cut(file, mapper.read) for item in mapper.map(RawRecord(value, "p", file.name, number))]
    assert [type(item) for item in items] == [EquipmentStateChanged, ProductionDeclared, ScrapDeclared, MaterialConsumed]
    assert [item.event_id for item in items] == [f"{file.name}:{number}" for number in (1, 2, 3, 4)]
    assert {item.equipment for item in items} == {"LINE-7"}
    assert [item.quantity for item in items[1:]] == [Quantity(480, 0, "PC"), Quantity(12, 0, "PC"), Quantity(31920, 3, "kg")]
    assert items[2].reason == "crushed"


def test_the_whole_document_as_one_message_says_the_same() -> None:
    mapper = mappers(load(B2MML))["performance"]
    file = B2MML / "performance-sample.xml"
    whole = mapper.map(RawRecord(file.read_bytes(), "p", "topic/0", 7))
    parts = [item for _, value in cut(file, mapper.read) for item in mapper.map(RawRecord(value, "p", "topic/0", 7))]
    assert [item.event_id for item in whole] == ["topic/0:7", "topic/0:7.1", "topic/0:7.2", "topic/0:7.3"]
    for item in (*whole, *parts):
        item.event_id, item.raw_part = "", 0
    assert whole == parts


def test_a_schedule_gives_orders_with_components() -> None:
    mapper = mappers(load(B2MML))["schedule"]
    (item,) = mapper.map(raw((B2MML / "schedule-sample.xml").read_bytes()))
    assert isinstance(item, OrderReleased)
    (component,) = item.components
    assert (item.order, component.material, component.base, component.quantity) == (
        "2000417",
        "9001",
        500,
        Quantity(66500, 3, "kg"),
    )


@pytest.mark.parametrize(
    ("path", "row", "expected"),
    [
        ("v", "<row><v>5</v></row>", "5"),
        ("v", "<row><v unit='kg'>5</v></row>", "5"),
        ("v.@unit", "<row><v unit='kg'>5</v></row>", "kg"),
        ("v.#text", "<row><v unit='kg'>5</v></row>", "5"),
        ('"@id"', "<row id='9'/>", "9"),
        ("#text", "<row>plain</row>", "plain"),
        ("_element", "<row/>", "row"),
        ("$._element", "<row/>", "doc"),
        ("a.v[1]", "<row><a><v>1</v><v>2</v></a></row>", "2"),
        ("a.v[0]", "<row><a><v>1</v></a></row>", "1"),
        ("a[0].v", "<row><a><v>1</v></a><a/></row>", "1"),
        ("v", "<row><v>a &amp; b &lt;&#x41;</v></row>", "a & b <A"),
        ("v", "<row><v><![CDATA[<x>]]></v></row>", "<x>"),
        ("v", "<row><v>a<!-- no -->b</v></row>", "ab"),
        ("x:v", "<row><v/></row>", None),
        ("v", "<row xmlns:x='urn:x'><x:v>ns</x:v></row>", "ns"),
        ("w || v", "<row><w></w><v>5</v></row>", "5"),
        ("v", "<row><v/></row>", ""),
        ("v", "<row xmlns:xsi='urn:i'><v xsi:nil='true'/></row>", None),
        ("v", "<row/>", None),
        ("v.w", "<row><v>5</v></row>", None),
    ],
)
def test_paths(path: str, row: str, expected: str | None) -> None:
    item = one(mapper_of([{**VALUE, "value": path.strip('"')}], READ), document(row))
    assert (item.code if expected is None else item.value) == ("MISSING_FIELD" if expected is None else expected), item


@pytest.mark.parametrize("path", ["v", "a.w", "a.w.x"])
def test_a_repeated_element_is_never_chosen_silently(path: str) -> None:
    row = "<row><v>1</v><v>2</v><a><w><x/></w></a><a><w><x/></w></a></row>"
    item = one(mapper_of([{**VALUE, "value": path}], READ), document(row))
    assert (item.code, "2 elements stand where one is expected" in item.detail) == ("BAD_FIELD", True)


def test_a_condition_on_a_repeated_element_refuses_the_record_and_not_its_neighbour() -> None:
    mapper = mapper_of([{**VALUE, "when": {"v": "1"}}], READ)
    items = mapper.map(raw(document("<row><v>1</v><v>2</v></row>", "<row><v>1</v></row>")))
    assert [getattr(item, "code", "") for item in items] == ["BAD_FIELD", ""]


def test_lists_of_a_record_have_one_element_too() -> None:
    rule = {"emit": "RunStarted", "outputs": {"each": "out", "material": "m", "order": "$.po"}}
    mapper = mapper_of([rule], READ)
    for count in (1, 3):
        row = "<row>" + "".join(f"<out><m>{n}</m></out>" for n in range(count)) + "</row>"
        assert [output.material for output in one(mapper, document(row, head="<po>7</po>")).outputs] == list("012"[:count])
        assert {output.order for output in one(mapper, document(row, head="<po>7</po>")).outputs} == {"7"}


ENTITY = '<!DOCTYPE doc [<!ENTITY a "aaaa">]>'
EXTERNAL = '<!DOCTYPE doc [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("", "no element found"),
        ("<doc>", "no element found"),
        ("<doc></dog>", "mismatched tag"),
        ("<doc/><doc/>", "junk"),
        ("<doc>&a;</doc>", "undefined entity"),
        (f"{ENTITY}<doc><row><v>&a;</v></row></doc>", "declares a document type"),
        (f"{EXTERNAL}<doc><row><v>&a;</v></row></doc>", "declares a document type"),
        ('<!DOCTYPE doc SYSTEM "http://127.0.0.1/x.dtd"><doc/>', "declares a document type"),
        ("<doc>" + "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH + "</doc>", f"more than {MAX_DEPTH} levels"),
        ("<doc>" + "<a/>" * MAX_PARTS + "</doc>", f"more than {MAX_PARTS} elements"),
        ("<doc " + " ".join(f"a{n}=''" for n in range(MAX_PARTS)) + "/>", f"more than {MAX_PARTS} elements"),
        ('<?xml version="1.0" encoding="klingon"?><doc/>', "an encoding that is not read"),
    ],
)
def test_what_is_refused(value: str, detail: str) -> None:
    with pytest.raises(RefusedInMapping) as refused:
        read_records(value.encode(), steps("row"))
    assert (refused.value.code, detail in refused.value.detail) == ("BAD_XML", True), refused.value.detail
    with pytest.raises(RefusedInMapping):
        list(cut_document(value.encode(), steps("row")))


def test_utf_16_is_refused_and_stated_encodings_are_read() -> None:
    with pytest.raises(RefusedInMapping, match="UTF-16"):
        read_records(document("<row/>").encode("utf-16"), steps("row"))
    value = ('<?xml version="1.0" encoding="windows-1250"?>' + document("<row><v>Žluťoučký</v></row>")).encode("cp1250")
    (piece,) = cut_document(value, steps("row"))
    assert one(mapper_of([VALUE], READ), piece).value == "Žluťoučký"


def test_without_each_the_document_is_the_record() -> None:
    read = {"format": "xml", "occurred_at": "at", "equipment": "=M1"}
    value = f"<doc><at>{AT}</at><v>5</v></doc>"
    assert list(cut_document(value.encode(), [])) == [b"<?record?>" + value.encode()]
    assert one(mapper_of([VALUE], read), value).value == "5"


def test_a_document_without_a_record_gives_nothing() -> None:
    mapper = mapper_of([VALUE], READ)
    assert mapper.map(raw(document())) == []
    assert list(cut_document(document().encode(), steps("row"))) == []


names = st.sampled_from(["row", "sub", "x"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="<&>"), max_size=4)
leaves = st.builds(lambda name, text, at: f"<{name} a='{at}'>{text}</{name}>", names, texts, st.integers(0, 9))
trees = st.recursive(
    leaves | st.builds("<{}/>".format, names) | st.sampled_from([" ", "\n", "<!-- c -->", "<?pi x?>"]),
    lambda inner: st.builds(lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", names, st.lists(inner, max_size=5)),
    max_leaves=20,
)


@given(st.lists(trees, max_size=6), st.lists(st.sampled_from(["row", "row.sub", "sub", "x.row", "x.x"]), max_size=3, unique=True))
def test_the_pieces_of_a_document_have_the_same_fields_as_the_whole(parts: list[str], each: list[str]) -> None:
    value = f"<doc a='>'>{''.join(parts)}</doc>".encode()
    whole = read_records(value, steps(*each))
    pieces = list(cut_document(value, steps(*each)))
    assert [read_records(piece, steps(*each)) for piece in pieces] == [[record] for record in whole]
    if each:
        assert all(len(piece) <= len(value) + len(b"<?record?>") for piece in pieces)


def test_a_long_list_is_cut_in_linear_size() -> None:
    rows = [f"\n  <row><v>{n}</v></row>" for n in range(5_000)]
    pieces = list(cut_document(document(*rows).encode(), steps("row")))
    assert len(pieces) == 5_000
    assert max(map(len, pieces)) < 120


def test_private_values_are_hashed_in_what_is_kept() -> None:
    rule = {"emit": "LabourRecorded", "person": "$.crew.badge", "action": "dir", "equipment": "=M1"}
    mapper = mapper_of([rule], READ, source_private=["pin", "$.owner.@name", "note"])
    head = "<owner name='badge-0815'/><crew><badge kind='b'>badge-0815</badge></crew>"
    value = document("<row><dir>on</dir><pin>0815</pin></row>", "<row><dir>off</dir><note>0815</note></row>", head=head)
    (first, second), kept = mapper.map(raw(value)), mapper.redacted(value.encode())
    assert first.person == second.person and first.person.startswith("h:")
    assert b"0815" not in kept
    assert [item.person for item in mapper.map(raw(kept))] == [first.person, second.person]
    assert mapper.redacted(kept) == kept
    pieces = [mapper.redacted(piece) for piece in cut_document(value.encode(), steps("row"))]
    assert [one(mapper, piece).action for piece in pieces] == ["on", "off"]
    assert b"0815" not in b"".join(pieces)
    assert mapper.redacted(b"<doc>0815").startswith(b"unreadable original, ")


@pytest.mark.parametrize("each", ["row[0]", "a b", "=row", "a || b"])
def test_each_is_a_path_of_elements(each: str) -> None:
    plant = plant_of([VALUE], {**READ, "each": each})
    with pytest.raises(MappingError, match="no path of elements"):
        compile_source("s", plant.sources["s"], plant)
