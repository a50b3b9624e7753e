"""The index of decisions, from their files' titles: `python -m tests.docs.decisions` writes docs/adr/README.md."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/adr"
INDEX = FOLDER / "README.md"
_HEAD = """# Decisions

Each of these could have been taken otherwise. A decision has a context, usually a counterexample, and consequences. Numbers
are given once.

"""


def files() -> list[Path]:
    return sorted(FOLDER.glob("[0-9]*.md"))


def index() -> str:
    """The document: a line for each decision."""
    return _HEAD + "".join(f"- [{path.stem[:4]}]({path.name}) {_title(path)}\n" for path in files())


def _title(path: Path) -> str:
    """The heading without its number."""
    return path.read_text(encoding="utf-8").partition("\n")[0].split(maxsplit=2)[2]


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
