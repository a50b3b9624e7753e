"""`lineledger` as its previous version was: the same program with the schemas of before, that lack what was added since.

`python -m tests.e2e.previous_version worker ...`: what it registers and writes is what a version without these fields writes.
"""

from typing import Any

from app.cli.main import main
from schemas import avro_files
from schemas.codec import Codec, avro_schema

ADDED = {
    "AccountRow": {"decisions", "dropped"},
    "EquipmentRow": {"activity_open"},
    "LotStateRow": {"changes"},
    "OrderReleased": {"planned_start", "planned_end"},
    "Outcome": {"posting_date"},
    "PartitionPosition": {"pending_configurations"},
    "Posting": {"waited_since"},
    "PostingRow": {"decisions"},
    "SourceTotal": {"late"},
    "Tick": {"final"},
    "Total": {"authority"},
}
"""Fields with defaults, at their defaults in the plant of tests/e2e/live."""


def become_previous() -> None:
    """From here on this process writes the schemas of before; what it reads gets defaults, because its code is of today."""
    today = {name: avro_schema(name) for name in avro_files.documents()}
    for record, fields in ADDED.items():
        document = avro_files.documents()[record]
        assert fields <= {field["name"] for field in document["fields"] if "default" in field}, record
        document["fields"] = [field for field in document["fields"] if field["name"] not in fields]
    initialise = Codec.__init__

    def init(self: Codec, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        self._by_header = {head: known._replace(reader=today[known.name]) for head, known in self._by_header.items()}

    Codec.__init__ = init  # type: ignore[method-assign]


if __name__ == "__main__":
    become_previous()
    main()
