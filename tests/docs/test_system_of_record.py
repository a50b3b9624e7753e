"""docs/system-of-record.md is the table that the program enforces."""

from pathlib import Path

from schemas.configuration.mapping import System
from streams.mapping.records import CANONICAL, READING, fields_of
from tables.plant.system_of_record import EVERY, OWNERS
from tests.docs import markdown

ROOT = Path(__file__).parents[2]


def test_the_document_is_the_table() -> None:
    (table,) = markdown.read(ROOT / "docs" / "system-of-record.md").tables()
    assert table[0] == ["record", "field", "owner"]
    wanted = [[record, f"`{field}`", ", ".join(owners)] for record, owned in OWNERS.items() for field, owners in owned.items()]
    assert table[1:] == wanted


def test_every_event_has_an_owner_and_every_owner_is_a_system() -> None:
    assert set(OWNERS) == {*CANONICAL, READING}
    systems = set(System.__args__)  # type: ignore[attr-defined]
    assert {owner for owned in OWNERS.values() for owners in owned.values() for owner in owners} == systems
    for record, owned in OWNERS.items():
        assert EVERY in owned
        if record != READING:
            assert set(owned) - {EVERY} <= set(fields_of(record))
