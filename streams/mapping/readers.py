"""From raw bytes to the fields that a mapping sees: one reader per format.

A reader gives a list with one entry per event: a dict of fields, or the Refusal that stands for a part that cannot be
read. It raises Refusal when nothing of the record can be read.
"""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.configuration.mapping import Read
from streams.mapping.csv_tables import Table
from streams.mapping.ini_sections import read_section
from streams.mapping.items import Refusal, check_size
from streams.mapping.json_records import json_reader
from streams.mapping.paths import Steps, path_steps
from streams.mapping.shdr_lines import read_shdr
from streams.mapping.xml_documents import read_records

Fields = dict[str, Any]
Reader = Callable[[bytes], list[Fields | Refusal]]


def reader_for(read: Read, wanted_columns: Sequence[frozenset[str]] = ()) -> Reader:
    """The reader of a source's format. `wanted_columns`: of each set a csv header must have one."""
    match read.format:
        case "shdr":
            return read_shdr
        case "csv":
            return Table(read, wanted_columns).read
        case "xml":
            return xml_reader(each_of(read))
        case "ini":
            return read_section
        case _:
            return json_reader()


def each_of(read: Read) -> list[Steps]:
    """The steps of `read.each`."""
    return [steps for text in read.each if (steps := path_steps(text))]


def xml_reader(each: Sequence[Steps]) -> Reader:
    """One document per record; an entry per element at `each`, or one for a document that was cut already."""

    def read(value: bytes) -> list[Fields | Refusal]:
        check_size(value)
        return [*read_records(value, each)]

    return read
