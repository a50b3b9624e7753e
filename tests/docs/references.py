"""References from code, tests and documents into the documentation: `docs/x.md, Heading`, and numbers that point nowhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs import markdown

PLACES = (
    *("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml", "lineledger.py"),
    *("app", "streams", "tables", "schemas", "deploy", "benchmarks", "tests", "docs"),
)
TEXTS = frozenset({".py", ".md", ".yaml", ".yml", ".toml", ".avsc", ".xml", ""})
_REFERENCE = re.compile(r"(docs/[\w-]+\.md), ([A-Z][^\n]{0,120})")
_CONTINUED = re.compile(r"[ \t]*\n[ \t]*(?:# ?)?")
"""A sentence goes on in the next line of a docstring or comment."""
NUMBERED = re.compile(
    r"\(domain \d|\brules? \d|defects? \d|\bdesign\.md|\bdesign,? (?:section |rule )?\d|section \d+ of the design",
    re.IGNORECASE,
)
"""Numbers of texts that are not in this repository, or that nobody can follow by name."""
OWN_NUMBERS = frozenset({"docs/counting.md"})
"""Documents that refer to a numbered list of their own."""


class Reference(NamedTuple):
    file: str
    document: str
    heading: str
    """The heading, or what stands in its place when the document has none of that name."""
    found: bool


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every file of the project in which people write; tests/docs itself left out."""
    for place in PLACES:
        for path in sorted((root / place).rglob("*")) if (root / place).is_dir() else [root / place]:
            name = path.relative_to(root).as_posix()
            if path.suffix in TEXTS and path.is_file() and not name.startswith("tests/docs/"):
                yield name, path.read_text(encoding="utf-8")


def references(file: str, text: str, headings: dict[str, set[str]]) -> Iterator[Reference]:
    """Each heading that `text` refers to; `A and B` refers to two. `headings`: by document."""
    for document, rest in _REFERENCE.findall(_CONTINUED.sub(" ", text)):
        known = sorted(headings.get(document, ()), key=len, reverse=True)
        while rest:
            heading = next((name for name in known if re.match(re.escape(name) + r"(?!\w)", rest)), "")
            yield Reference(file, document, heading or rest[:40], bool(heading))
            following = re.match(r" and (?=[A-Z])", rest[len(heading) :]) if heading else None
            rest = rest[len(heading) + following.end() :] if following else ""


def numbered(file: str, text: str) -> list[str]:
    """Numbered references in `text`, as they stand."""
    return [] if file in OWN_NUMBERS else [match[0] for match in NUMBERED.finditer(_CONTINUED.sub(" ", text))]


def headings_of(root: Path) -> dict[str, set[str]]:
    """Document -> its headings, without the signs of Markdown."""
    return {
        f"docs/{path.name}": {line.lstrip("#").strip() for line in markdown.read(path).prose if line.startswith("#")}
        for path in (root / "docs").glob("*.md")
    }


def nobody_named(text: str) -> int:
    """How often `text` says "whoever" where a noun of the field belongs."""
    return len(re.findall(r"\bwhoever\b", text, re.IGNORECASE))
