"""The register of source formats: which there are, and what plant.yaml may say of each beside what it may say of all.

What a format does with bytes is the `FORMAT` of its own module, streams/mapping/formats/NAME.py. docs/extending.md adds one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(slots=True, frozen=True)
class FormatEntry:
    settings: tuple[str, ...] = ()
    """Keys of `read` that say something to this format; to all others they must not be said."""
    any_encoding: bool = False
    """Its records keep the file's encoding, any in which ASCII stands for itself. Else they are UTF-8."""
    of_people: bool = False
    """Its records say themselves what they are: decisions of people, and replays. It takes no events, and no silence of it is an
    alarm."""


FORMATS: Mapping[str, FormatEntry] = MappingProxyType(
    {
        "json": FormatEntry(("each",)),
        "shdr": FormatEntry(),
        "csv": FormatEntry(("columns", "delimiter", "header", "skip_lines", "number"), any_encoding=True),
        "xml": FormatEntry(("number", "each")),
        "ini": FormatEntry(("number", "keep")),
        "replay": FormatEntry(of_people=True),
    }
)
"""By the name that `read.format` has, in the order in which a file is compared with them (`resembles`)."""


def formats_with(setting: str) -> list[str]:
    """The formats to which `setting` of `read` says something; none: it is of all formats."""
    return [name for name, entry in FORMATS.items() if setting in entry.settings]
