"""Run pytest with one defect planted: `python -m tests.mutants.planted MODULE OLD NEW PYTEST-ARGUMENT ...`.

The module's source is changed while it is imported; no file is written. Exit code: pytest's; 64 when OLD does not stand in
the source exactly once, so that a mutant cannot outlive the line that it was made for.
"""

import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

import pytest

STALE = 64


class PlantedLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, module: str, path: str, old: str, new: str) -> None:
        super().__init__(module, path)
        self._old, self._new = old, new

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(source.replace(self._old, self._new), self.path, "exec")


class PlantedFinder(MetaPathFinder):
    def __init__(self, module: str, old: str, new: str) -> None:
        self._module, self._old, self._new = module, old, new

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        file = str(source_of(fullname))
        return importlib.machinery.ModuleSpec(fullname, PlantedLoader(fullname, file, self._old, self._new), origin=file)


def source_of(module: str) -> Path:
    return Path(*module.split(".")).with_suffix(".py").resolve()


def main(module: str, old: str, new: str, *arguments: str) -> int:
    if source_of(module).read_text(encoding="utf-8").count(old) != 1:
        return STALE
    sys.meta_path.insert(0, PlantedFinder(module, old, new))
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *arguments]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
