"""Records that wait for the clock: kept as rows, folded in the order (T, kind, source, raw position), never as they came."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from schemas.records import PendingRow
from tables.order_of_telling import Natural, natural
from tables.row_kinds import WAITING_ROWS
from tables.rows import RowStore

_NAME = "\x1f"
"""Stands in a key before the name of a record."""


def placed(place: str, name: str) -> str:
    """An identity of a record that is folded by its place. Those of one place (elements of one list) are folded as they came, and
    never by the text of their names."""
    return place + _NAME + name


def _earlier(known: PendingRow) -> bool:
    return True


def _came(row: PendingRow) -> tuple[int, int]:
    """When it came: offsets begin anew with each log epoch."""
    return row.log_epoch, row.inbox_offset


MAX_PLACES = 20_000
"""Places whose order is kept in mind: sources say something again and again."""


class Waiting:
    """The buffer of one partition. What it holds is in the rows; the index in memory is rebuilt from them at take-over.

    A key names what a record is about: a second record of the same key and label replaces the first. So of one source key
    only the last total per pending cut is kept.
    """

    def __init__(self, rows: RowStore) -> None:
        self._rows = rows
        self._by_label: dict[tuple[str, int], dict[str, PendingRow]] = defaultdict(dict)
        self._places: dict[str, Natural] = {}

    def remember(self) -> Iterator[None]:
        """Build the index from the rows; yields where others may run."""
        for page in self._rows.pages(WAITING_ROWS.prefix):
            for key, row in page:
                plant = key.split("|", 2)[1]
                self._by_label[plant, row.label][key] = row
            yield

    def __len__(self) -> int:
        return sum(map(len, self._by_label.values()))

    def add(
        self, plant: str, label: int, rank: str, identity: str, row: PendingRow, outdated: Callable[[PendingRow], bool] = _earlier
    ) -> None:
        """`rank` orders kinds within a label; `identity` orders within a kind (numbers in it as numbers; see `placed`) and says
        what replaces what. `outdated` is asked whether a row of the same identity has to give way; as a rule the later one
        stays."""
        key = WAITING_ROWS.key(plant, f"{label:020d}", rank, identity)
        known = self._by_label[plant, label].get(key)
        if known is None or (_came(known) <= _came(row) and outdated(known)):
            self._by_label[plant, label][key] = row
            self._rows.put(key, row)

    def due(self, plant: str, now: int) -> list[tuple[int, list[Any]]]:
        """Take out what is labelled up to `now`: [(label, rows in folding order)], labels ascending."""
        labels = sorted(label for name, label in self._by_label if name == plant and label <= now)
        taken = []
        for label in labels:
            rows = self._by_label.pop((plant, label))
            for key in rows:
                self._rows.delete(key)
            taken.append((label, [row for _, row in sorted(rows.items(), key=self._in_order)]))
        return taken

    def _in_order(self, entry: tuple[str, PendingRow]) -> tuple[Natural, str, tuple[int, int]]:
        """Among the records of one plant and label."""
        key, row = entry
        place = key.split("|", 3)[3].partition(_NAME)[0]
        known = self._places.get(place)
        if known is None:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            known = self._places[place] = natural(place)
        return known, place, _came(row)  # 01 and 1 are one number and two places

    def lower(self, plant: str, at: int) -> None:
        """A repair of the clock: what is labelled later than `at` waits for `at` only. Of one identity the newest stays."""
        late = sorted(label for name, label in self._by_label if name == plant and label > at)
        for label in late:
            for key, row in sorted(self._by_label.pop((plant, label)).items(), key=lambda entry: _came(entry[1])):
                self._rows.delete(key)
                _, _, _, rank, identity = key.split("|", 4)
                row.label = at
                self.add(plant, at, rank, identity, row)
