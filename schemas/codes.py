"""The register of codes: what the program can refuse, park or end with, who must act, and what to type.

`schemas/codes.yaml` is the source. Reports, metrics, `lineledger explain-code` and docs/exceptions.md read it. As a program
(`python -m schemas.codes`) it writes the tables of docs/exceptions.md anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

REGISTER = Path(__file__).parent / "codes.yaml"
DOCUMENT = Path(__file__).parents[1] / "docs" / "exceptions.md"
SECTIONS = {
    "intake": "of a raw record that intake refuses",
    "stages": "of a record that a stage refuses",
    "parked": "of an account",
    "books": "question of the books check, beside EXACT",
    "not_posted": "of a quantity that is recorded and not posted",
    "postings": "of a posting",
    "erp": "answer of the ERP",
    "configuration": "of a configuration or a connection",
    "commands": "of a command",
    "exits": "end of a worker",
}
"""Section of the register -> where its codes are met, in words."""
DEFAULT_OWNER = "plant IT"
_PLACE = re.compile(r"<!-- codes: (\w+) -->\n.*?<!-- end of codes -->", re.S)


@dataclass(slots=True, frozen=True)
class Code:
    """One code in one section. `owner`: who must act; `do`: what to type; `exit`: number of a worker's end, 0: it ends none."""

    name: str
    section: str
    cause: str
    owner: str
    do: str
    exit: int = 0


@cache
def register() -> tuple[Code, ...]:
    """Every entry, in the order of the file. A code may stand in several sections (an account and an answer of the ERP)."""
    sections = yaml.safe_load(REGISTER.read_text(encoding="utf-8"))
    return tuple(Code(name, section, **entry) for section, entries in sections.items() for name, entry in entries.items())


def entries_of(code: str) -> list[Code]:
    """The entries of a code; empty: nothing in this program has it."""
    return [entry for entry in register() if entry.name == code]


def owner_of(code: str) -> str:
    """Who must act when something waits with this code; an unknown code is plant IT's."""
    return next((entry.owner for entry in register() if entry.name == code), DEFAULT_OWNER)


def table(section: str) -> str:
    """The entries of a section as a table in Markdown."""
    entries = [entry for entry in register() if entry.section == section]
    numbered = any(entry.exit for entry in entries)
    head = ["code", "number", "cause", "owner", "what to type"] if numbered else ["code", "cause", "owner", "what to type"]
    rows = [head, ["---"] * len(head)]
    rows += [[entry.name, *([str(entry.exit)] if numbered else []), entry.cause, entry.owner, entry.do] for entry in entries]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def document(text: str) -> str:
    """docs/exceptions.md with the register's tables between its marks."""
    return _PLACE.sub(lambda place: f"<!-- codes: {place[1]} -->\n{table(place[1])}\n<!-- end of codes -->", text)


def sections_of(text: str) -> Iterator[str]:
    """The sections that a document shows."""
    return (place[1] for place in _PLACE.finditer(text))


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
