"""Problems of a configuration: sentences with file and line that say what to do."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]
_LIMITS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}


class Problem(NamedTuple):
    """`file`: plant.yaml, rules.yaml or erp.yaml. `line`: from 1; 0: the file as a whole."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class ConfigurationFinding(NamedTuple):
    """A problem by the path in its file. `needs`: file -> sections without which, or without a part of which, it says nothing."""

    file: str
    path: Path
    message: str
    needs: Mapping[str, Sequence[str]] = {}


class ConfigError(ValueError):
    """The configuration cannot be used. `problems`: all of them, by file and line."""

    code = "BAD_CONFIG"

    def __init__(self, problems: Iterable[Problem], partial: bool = False) -> None:
        """`partial`: something could not be looked at because of these problems."""
        self.problems, self.partial = sorted(set(problems)), partial
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """`("sources", "presses", "events", 3)` as people write it: sources.presses.events[3]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def sentence(path: Path, message: str) -> str:
    """A message that begins with where it is about."""
    return f"{dotted(path)}: {message}" if path else message


def message_of(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What one error of a model means for the person who wrote the file."""
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known, near = _keys_at(model, error["loc"][:-1]), near_key(error, model)
            hint = f"did you mean {near}?" if near else f"known here: {', '.join(known)}" if known else "remove it"
            return f"`{error['loc'][-1]}` is no key here; {hint}"
        case "missing":
            return f"`{error['loc'][-1]}` is missing; add it"
        case "literal_error":
            words, near = _words(error), near_word(error)
            hint = f"did you mean {near}?" if near else f"write one of {', '.join(words)}"
            return f"`{_short(error['input'])}` is not known here; {hint}"
        case "value_error":
            return str(context.get("error", error["msg"])).replace("``", "an empty value")
        case "string_type" | "dict_type" | "model_type" | "model_attributes_type" | "list_type":
            wanted = {"string_type": "one value", "list_type": "a list"}.get(error["type"], "keys with values")
            return f"{wanted} expected here"
        case "too_short":
            return "at least one entry is needed"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as limit:
            bound = next(context[key] for key in ("gt", "ge", "lt", "le") if key in context)
            return f"`{_short(error['input'])}` must be {_LIMITS[limit]} {bound}"
    return f"{error['msg']}"


def near_key(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The key that was probably meant by one that nobody knows; empty: none."""
    return next(iter(get_close_matches(str(error["loc"][-1]), _keys_at(model, error["loc"][:-1]), 1, 0.6)), "")


def near_word(error: ErrorDetails) -> str:
    """The word that was probably meant by one that is not known; empty: none."""
    return next(iter(get_close_matches(str(error["input"]), _words(error), 1, 0.6)), "")


def _words(error: ErrorDetails) -> list[str]:
    return str(error.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the model knows at `path`; empty where that is no section."""
    here: Any = model
    for step in path:
        here = _step(here, step)
        if here is None:
            return []
    section = _section(here)
    if section is None:
        return []
    names = [field.alias or name for name, field in section.model_fields.items()]
    return [name for name in names if name not in {"fields", "line"}]


def _step(annotation: Any, step: str | int) -> Any:
    section = _section(annotation)
    if section is not None:
        for name, field in section.model_fields.items():
            if step in (name, field.alias):
                return field.annotation
        return annotation  # a tag of a union: the section itself follows
    for part in _parts(annotation):
        if get_origin(part) is dict:
            return get_args(part)[1]
        if get_origin(part) is list:
            return get_args(part)[0]
    return None


def _section(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _parts(annotation: Any) -> list[Any]:
    """The members of a union, without the annotations around them."""
    if get_origin(annotation) in (Union, UnionType):
        return [part for arg in get_args(annotation) for part in _parts(arg)]
    if hasattr(annotation, "__metadata__"):
        return _parts(annotation.__origin__)
    return [annotation]
