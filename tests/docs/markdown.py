"""The parts of a Markdown document that can be checked: fenced blocks, inline code, links, headings, table rows."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\s*$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`\n]+)`")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class Document:
    path: Path
    blocks: list[tuple[str, str]] = field(default_factory=list)
    """(language, text) of fenced blocks, in order."""
    prose: list[str] = field(default_factory=list)
    """Lines outside fenced blocks."""

    @property
    def inline(self) -> list[str]:
        return [code for line in self.prose for code in _INLINE.findall(line)]

    @property
    def links(self) -> list[str]:
        return [target for line in self.prose for target in _LINK.findall(_INLINE.sub("", line))]

    @property
    def anchors(self) -> set[str]:
        return {_anchor(line.lstrip("#").strip()) for line in self.prose if line.startswith("#")}

    def sections(self, prefix: str) -> dict[str, list[str]]:
        """Lines under each heading of level 2 whose text begins with `prefix`, by the heading's first word."""
        found: dict[str, list[str]] = {}
        current: list[str] | None = None
        for line in self.prose:
            if line.startswith("## "):
                title = line[3:].strip()
                current = found.setdefault(title.split()[0], []) if title.startswith(prefix) else None
            elif current is not None:
                current.append(line)
        return found

    def tables(self) -> list[list[list[str]]]:
        """Rows of each table, each a list of cells; the header first, the line of dashes left out."""
        found: list[list[list[str]]] = []
        inside = False
        for line in self.prose:
            if not line.startswith("|"):
                inside = False
                continue
            cells = [cell.strip().replace("\\|", "|") for cell in _CELLS.split(line.strip())[1:-1]]
            if not inside:
                found.append([])
            inside = True
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                found[-1].append(cells)
        return found


def read(path: Path) -> Document:
    document, language, block = Document(path), None, list[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        fence = _FENCE.match(line)
        if language is None and fence:
            language, block = fence[1], []
        elif language is not None and fence:
            document.blocks.append((language, "\n".join(block)))
            language = None
        elif language is not None:
            block.append(line)
        else:
            document.prose.append(line)
    assert language is None, f"{path.name}: a fenced block is not closed"
    return document


def _anchor(heading: str) -> str:
    """As GitHub makes it: lower case, signs away, blanks to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
