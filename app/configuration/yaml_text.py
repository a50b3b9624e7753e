"""YAML as text: every scalar stays what was written, and every key remembers its line.

A loader that types is a trap: 22:00 becomes 1320, 0001 becomes 1, no becomes false. Anchors, tags, repeated keys and
further documents are refused: what stands in the file is what it means, once.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from app.configuration.problems import Path

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 50_000
MAX_PASSES = 40
"""Places that are no YAML, of one file: beyond that the rest of it is not read."""
_KEY = re.compile(r"[^\s#\-\[\]{}][^#]*?:(\s|$)")


class YamlProblem(ValueError):
    """The file is not YAML of this kind."""

    def __init__(self, line: int, message: str, begins: int = 0, ends: bool = False) -> None:
        """`begins`: line at which what is no YAML begins, 0: the same. `ends`: nothing behind it is read."""
        super().__init__(message)
        self.line, self.begins, self.ends = line, begins or line, ends
        self.message = message


@dataclass(slots=True)
class YamlText:
    """Content as dicts, lists and texts, and the line of each path."""

    content: Any
    lines: dict[Path, int] = field(default_factory=dict)
    written: dict[Path, Path] = field(default_factory=dict)
    """Where in the file a path stands whose list has lost entries before it."""
    problems: list[YamlProblem] = field(default_factory=list)
    lost: list[Path] = field(default_factory=list)
    """What of the file could not be read: the keys that stand twice, the sections in which lines are no YAML."""

    def place(self, path: Path) -> tuple[Path, int]:
        """The deepest part of `path` that stands in the file, with its line. Steps that are no part of the file (names
        of alternatives, `fields`) are passed over."""
        found: Path = ()
        here = self.content
        for step in path:
            known = isinstance(here, dict) and step in here
            if known or (isinstance(here, list) and isinstance(step, int) and step < len(here)):
                here = here[step]
                found = (*found, step)
        return found, self.lines.get(found, 1)

    def in_file(self, path: Path) -> Path:
        return self.written.get(path, path)

    def mended(self, dropped: Collection[Path], meant: Mapping[Path, str], keys: Mapping[Path, str]) -> "YamlText":
        """The document as if the `dropped` paths did not stand in it, with the values and keys that were probably `meant`; the
        others keep their lines."""
        left = YamlText({}, {}, {}, self.problems, self.lost)

        def kept(content: Any, here: Path, there: Path) -> Any:
            left.lines[there], left.written[there] = self.lines.get(here, 1), self.in_file(here)
            if isinstance(content, dict):
                named = {key: keys.get((*here, key), key) for key in content if (*here, key) not in dropped}
                return {name: kept(content[key], (*here, key), (*there, name)) for key, name in named.items()}
            if isinstance(content, list):
                stay = [index for index in range(len(content)) if (*here, index) not in dropped]
                return [kept(content[index], (*here, index), (*there, at)) for at, index in enumerate(stay)]
            return meant.get(here, content)

        left.content = kept(self.content, (), ())
        return left


def read_yaml(data: bytes) -> YamlText:
    """The document in `data`. Raises YamlProblem, the first one."""
    document = read_leniently(data)
    if document.problems:
        raise document.problems[0]
    return document


def read_leniently(data: bytes) -> YamlText:
    """What can be read of the document, with all its problems: lines that are no YAML, or use what is not used here, are passed
    over together with what belongs to them. Raises YamlProblem where nothing can be read."""
    if len(data) > MAX_BYTES:
        raise YamlProblem(1, f"the file has more than {MAX_BYTES} bytes; split the plant or remove what is not needed")
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise YamlProblem(1, "the file is not UTF-8; save it as UTF-8") from None
    problems: list[YamlProblem] = []
    lost: list[Path] = []
    node = None
    for _ in range(MAX_PASSES):
        found, node = _composed("\n".join(lines))
        if not found:
            break
        problems += [problem for problem in found if problem.line not in {known.line for known in problems}]
        for problem in found:
            number = min(problem.begins, len(lines)) - 1
            lost += _section_of(lines, number)
            _pass_over(lines, number, to_end=problem.ends)
    document = YamlText({}, problems=problems, lost=lost)
    if node is not None:
        document.content = _plain(node, (), document)
    if not isinstance(document.content, dict):
        if not problems:
            raise YamlProblem(1, "the file must hold keys with values, like `plant:`")
        document.content = {}
    return document


def _composed(text: str) -> tuple[list[YamlProblem], yaml.Node | None]:
    """All uses of what is not used here, or the first place that is no YAML; without either, the document."""
    try:
        found = list(_refused_events(text))
        return found, None if found else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark else 1
        return [YamlProblem(line, f"this is no YAML: {wrong.problem or wrong.context}", _begins(wrong, text, line))], None
    except yaml.YAMLError as wrong:
        raise YamlProblem(1, f"this is no YAML: {str(wrong).splitlines()[0]}") from None


def _refused_events(text: str) -> Iterator[YamlProblem]:
    """What this configuration does not use, before anything is built from it. Raises YamlProblem beyond a limit."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if count > MAX_NODES:
            raise YamlProblem(line, f"the file has more than {MAX_NODES} parts")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield YamlProblem(line, "anchors and aliases are not used here; write the text out")
        if getattr(event, "tag", None):
            yield YamlProblem(line, "tags are not used here; write plain text")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                yield YamlProblem(line, "a second document begins here; each file holds one", ends=True)
                return
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlProblem(line, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _begins(wrong: yaml.MarkedYAMLError, text: str, line: int) -> int:
    """Where something begins that has no end, or a line without a key that the next one makes wrong."""
    if wrong.context_mark is not None and re.search(r"flow|quoted", wrong.context or ""):
        return wrong.context_mark.line + 1
    if wrong.context is None:
        before = [number for number, other in enumerate(text.split("\n")[: line - 1], 1) if other.partition("#")[0].strip()]
        other = text.split("\n")[before[-1] - 1] if before else ""
        if other and not (_KEY.match(other.strip()) or other.strip().startswith("-")):
            return before[-1]
    return line


def _section_of(lines: Sequence[str], number: int) -> list[Path]:
    """The key at the left edge below which a line stands."""
    above = (_KEY.match(line) for line in reversed(lines[: number + 1]))
    return next(([(key[0].partition(":")[0].strip(),)] for key in above if key), [])


def _pass_over(lines: list[str], number: int, *, to_end: bool) -> None:
    """Empty a line, and what is indented below it."""
    first = lines[number].lstrip()
    indent = len(lines[number]) - len(first)
    lines[number] = ""
    for below in range(number + 1, len(lines)):
        inner = lines[below].lstrip()
        depth = len(lines[below]) - len(inner)
        entry = depth == indent and inner.startswith("- ") and not first.startswith("-")
        if inner and not (to_end or depth > indent or entry):
            break
        lines[below] = ""


def _plain(node: yaml.Node, path: Path, document: YamlText) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                document.problems.append(YamlProblem(line, "a key must be one text"))
                document.lost.append(path)
            elif key.value in found:
                document.problems.append(YamlProblem(line, f"`{key.value}` stands here twice; keep one"))
                document.lost.append((*path, key.value))
            else:
                document.lines[(*path, key.value)] = line
                found[key.value] = _plain(value, (*path, key.value), document)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), document) for index, item in enumerate(node.value)]
    return node.value
