"""How many postings, acceptances and documents there were: small numbers beside the rows, which are forgotten one day."""

from collections.abc import Iterable, Mapping, MutableMapping

from schemas.records import PostingRow

TAKEN, ACCEPTED, DOCUMENTS = "postings", "accepted", "documents"
Marks = MutableMapping[str, int]


def taken(marks: Marks) -> None:
    """A posting came in."""
    marks[TAKEN] = marks.get(TAKEN, 0) + 1


def sent_on(marks: Marks) -> None:
    """It goes to another partition, which takes it."""
    marks[TAKEN] = marks.get(TAKEN, 0) - 1


def accepted(marks: Marks, row: PostingRow) -> None:
    """The ERP has it. Of a document with several lines the first one stands for it."""
    marks[ACCEPTED] = marks.get(ACCEPTED, 0) + 1
    if row.document.rpartition("/")[0] in ("", row.posting.posting_id):
        marks[DOCUMENTS] = marks.get(DOCUMENTS, 0) + 1


def told(positions: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """All of them, over the marks of several partitions."""
    found = list(positions)
    return {name: sum(marks.get(name, 0) for marks in found) for name in (TAKEN, ACCEPTED, DOCUMENTS)}
