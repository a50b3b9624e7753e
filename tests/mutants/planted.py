"""Run pytest with one defect planted: `python -m tests.mutants.planted MODULE OLD NEW PYTEST-ARGUMENT ...`.

The module's source is changed while it is imported; no file is written. Exit code: pytest's; 64 when OLD does not stand in
the source exactly once, so that a mutant cannot outlive the line that it was made for.
"""

import sys

import pytest

from tests.mutants.planting import PlantedFinder, source_of

STALE = 64


def main(module: str, old: str, new: str, *arguments: str) -> int:
    if source_of(module).read_text(encoding="utf-8").count(old) != 1:
        return STALE
    sys.meta_path.insert(0, PlantedFinder(module, old, new))
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *arguments]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
