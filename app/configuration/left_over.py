"""What is right of a file that has problems: it is checked further, so that one look names the problems of all files.

A word or key that its model refuses is read as the one that was probably meant, or left out, and what remains is looked at as if
it had been so. What may be wrong only because something is left out is not told: it is seen when the rest is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.configuration.problems import Path, Problem, message_of, near_key, near_word, sentence
from app.configuration.yaml_text import YamlText

MAX_ROUNDS = 40
"""Each leaves out every part that is refused; what nests deeper than that is refused as a whole."""
Model = TypeVar("Model", bound=BaseModel)
_NEEDED = {"plant": {"id": "P"}}
"""Stands for a required section that is missing while the others are looked at."""
_OF_EQUIPMENT = frozenset({"equipment", "counter", "value", "unit", "quantity", "decimals"})
"""Fields of mappings that are compared with `equipment`."""


@dataclass(slots=True)
class CheckedFile(Generic[Model]):
    """A file: its document without what is refused, the model of that, and what was left out. `model` None: nothing is left."""

    name: str
    document: YamlText
    model: Model | None = None
    problems: list[Problem] = field(default_factory=list)
    lost: set[Path] = field(default_factory=set)
    """Paths of the file that are not looked at."""
    withheld: bool = False
    """Something that may come of what was left out was found, and is not told."""

    @property
    def whole(self) -> bool:
        return not self.problems

    def tell(self, path: Path, message: str, *, follows: bool = False) -> None:
        """A problem at a path of `document`, unless it may come of what was left out. `follows`: it needs more than its place."""
        found, line = self.document.place(path)
        if follows and self._in_doubt(self.document.in_file(found)):
            self.withheld = True
            return
        self.problems.append(Problem(self.name, line, sentence(self.document.in_file(found), message)))

    def lacks(self, *sections: str) -> bool:
        """May one of the sections at the left edge lack something that others name?"""
        return any(path[0] in sections and not _named_by_nobody(path) for path in self.lost if path)

    def _in_doubt(self, path: Path) -> bool:
        for lost in self.lost:
            section = lost[:-1]
            if path == section or path[: len(lost)] == lost:
                return True
            if section and isinstance(section[-1], int) and path[: len(section)] == section:
                return True  # another field of a rule
        if self.name != "plant.yaml" or path[:1] != ("sources",):
            return False
        return self.lacks("tables") or (self.lacks("equipment", "units") and path[-1] in _OF_EQUIPMENT)


def _named_by_nobody(path: Path) -> bool:
    """A setting of one counter alone."""
    return path[0] == "equipment" and len(path) > 4 and path[-1] not in ("unit", "counts", "of", "position", "decimals")


def checked(model: type[Model], name: str, document: YamlText) -> CheckedFile[Model]:
    found = CheckedFile[Model](name, document, lost=set(document.lost))
    found.problems = [Problem(name, problem.line, problem.message) for problem in document.problems]
    for turn in range(MAX_ROUNDS):
        try:
            found.model = model.model_validate(found.document.content)
            return found
        except ValidationError as wrong:
            errors = wrong.errors()
        for error in errors:
            _tell(found, model, error, turn)
        keys = _keys_meant(found.document, errors, model)
        meant = {path: word for path, word in _words_meant(found.document, errors) if path not in keys}
        dropped = set(_dropped(found.document, errors, keys)) - meant.keys() - keys.keys()
        if not (dropped or meant or keys):
            return _with_what_is_needed(found, model, errors)
        for path in dropped - _unknown(found.document, errors):
            found.lost.add(found.document.in_file(path))
            found.withheld |= isinstance(_at(found.document.content, path), dict | list)
        found.document = found.document.mended(dropped, meant, keys)
    return found


def _tell(found: CheckedFile[Model], model: type[Model], error: ErrorDetails, turn: int) -> None:
    missing = error["type"] == "missing"
    section = error["loc"][0] if missing and len(error["loc"]) == 1 else None
    if (section,) in found.lost or (missing and any(error["loc"][: len(lost)] == lost for lost in found.document.lost)):
        found.withheld = True  # it stands where the file cannot be read
        return
    found.tell(error["loc"], message_of(error, model), follows=turn > 0)


def _keys_meant(document: YamlText, errors: Sequence[ErrorDetails], model: type[BaseModel]) -> dict[Path, str]:
    """Keys that nobody knows -> those that were probably meant, where these do not stand there, too."""
    found: dict[Path, str] = {}
    for error in errors:
        path, near = error["loc"], near_key(error, model) if error["type"] == "extra_forbidden" else ""
        place, _ = document.place(path)
        if near and place:
            there = _at(document.content, place[:-1])
            if near not in there and (*place[:-1], near) not in {(*key[:-1], name) for key, name in found.items()}:
                found[place] = near
    return found


def _words_meant(document: YamlText, errors: Sequence[ErrorDetails]) -> Iterator[tuple[Path, str]]:
    for error in errors:
        near = near_word(error) if error["type"] == "literal_error" else ""
        place, _ = document.place(error["loc"])
        if near and _at(document.content, place) == error["input"]:
            yield place, near


def _dropped(document: YamlText, errors: Sequence[ErrorDetails], keys: Mapping[Path, str]) -> Iterator[Path]:
    """What of the document to leave out, so that the errors are gone; nothing for those of the file as a whole."""
    for error in errors:
        path, _ = document.place(error["loc"])
        if error["type"] == "missing" and any(key[:-1] == path and keys[key] == error["loc"][-1] for key in keys):
            continue  # it stands there under another name
        if path:
            yield path


def _unknown(document: YamlText, errors: Sequence[ErrorDetails]) -> set[Path]:
    """Keys that nobody knows: nothing is lost with them."""
    return {document.place(error["loc"])[0] for error in errors if error["type"] == "extra_forbidden"}


def _at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content


def _with_what_is_needed(found: CheckedFile[Model], model: type[Model], errors: Sequence[ErrorDetails]) -> CheckedFile[Model]:
    """Required sections that are missing as a whole."""
    missing = {str(error["loc"][0]) for error in errors if error["type"] == "missing" and len(error["loc"]) == 1}
    if not missing or not missing <= _NEEDED.keys() or len(missing) < len(errors):
        return found
    found.lost |= {(section,) for section in missing}
    content = {**found.document.content, **{section: _NEEDED[section] for section in missing}}
    try:
        found.model = model.model_validate(content)
    except ValidationError as wrong:
        for error in wrong.errors():
            found.tell(error["loc"], message_of(error, model), follows=True)
    return found
