"""Did every test that docs/invariants.md names run, and pass? `python -m tests.docs.proved FOLDER`, after all tests of CI.

FOLDER has what tests/conftest.py noted (LINELEDGER_PROVED). Exit code 1 with the names that are missing.
"""

import re
import sys
from pathlib import Path

DOCUMENTS = ("docs/invariants.md",)
NAME = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def named(root: Path) -> set[str]:
    """The tests that the documents call a proof."""
    return {name for document in DOCUMENTS for name in NAME.findall((root / document).read_text(encoding="utf-8"))}


def passed(folder: Path) -> set[str]:
    return {name for file in folder.glob("*.txt") for name in file.read_text(encoding="utf-8").split()}


def main(folder: str) -> int:
    missing = sorted(named(Path(__file__).parents[2]) - passed(Path(folder)))
    for name in missing:
        print(f"named in docs/invariants.md, and did not run here: {name}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
