"""The recordings of the tool room: which files, and that they count the pieces that are stated. Data: NIST SMS Test Bed."""

from collections import Counter
from pathlib import Path

import pytest

from app.configuration import load, mappers
from app.demo.master import CONFIGURATION, orders
from app.demo.recordings import EXCERPTS, PIECES, TOOL_ROOM, recordings
from schemas.records import RunEnded, RunStarted
from streams.mapping import RawRecord, Reading, RefusedRecord
from tests.unit.demo.raw_files import Shift, raw_lines


def counted(path: Path) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """(order, program) -> pieces, by the plainest rule: what the counter gained belongs to the program in force."""
    source = path.name[:7]
    mapper = mappers(load(CONFIGURATION))[source]
    pieces, kinds = Counter[tuple[str, str]](), Counter[str]()
    running, last = ("", ""), -1
    for offset, line in enumerate(raw_lines(path), 1):
        for item in mapper.map(RawRecord(line, source, path.name, offset)):
            kinds[item.code if isinstance(item, RefusedRecord) else type(item).__name__] += 1
            if isinstance(item, RunStarted):
                assert item.operation == "10"
                running = (item.order, item.outputs[0].material)
            elif isinstance(item, RunEnded):
                running = ("", "")
            elif isinstance(item, Reading):
                if last >= 0:
                    pieces[running] += item.value - last
                last = item.value
    return pieces, kinds


def sets() -> list[Path | None]:
    return [None, EXCERPTS]


@pytest.mark.parametrize("directory", sets())
def test_both_mills_count_what_is_stated(directory: Path | None) -> None:
    files = recordings(directory)
    assert [path.name[:7] for path in files] == ["hurco02", "hurco04"]
    pieces = Counter[tuple[str, str]]()
    for path in files:
        found, kinds = counted(path)
        pieces.update(found)
        assert kinds["ProcessValue"] > 500
        assert kinds["EquipmentStateChanged"] > 30
        assert not kinds.keys() & {"NO_MAPPING", "UNKNOWN_EQUIPMENT", "MISSING_FIELD"}
    assert +pieces == PIECES


def test_excerpts_are_small() -> None:
    assert all(path.stat().st_size < 60_000 for path in recordings(EXCERPTS))


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="hurco02"):
        recordings(tmp_path)


def test_every_program_is_an_item_of_its_standing_order(shift: Shift) -> None:
    released = {order.order: order for order in orders(shift.directory)}
    for tool_room in TOOL_ROOM:
        items = released[tool_room.number].items
        assert tuple(item.material for item in items) == tool_room.programs
        assert {item.over_delivery for item in items} == {"unlimited"}
    assert {order for order, _ in PIECES} == {tool_room.number for tool_room in TOOL_ROOM}
