"""A module whose source is changed while it is imported; no file is written."""

import importlib.machinery
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple


class Mutant(NamedTuple):
    """`module` with the text `old` (which stands in it once) replaced by `new`; `killed_by`: the test that must fail then."""

    module: str
    old: str
    new: str
    killed_by: str


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
