"""YAML as text: every scalar stays what was written, and every key remembers its line.

A loader that types is a trap: 22:00 becomes 1320, 0001 becomes 1, no becomes false. Anchors, tags, repeated keys and
further documents are refused: what stands in the file is what it means, once.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from app.configuration.problems import Path

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 50_000


class YamlProblem(ValueError):
    """The file is not YAML of this kind."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(slots=True)
class YamlText:
    """Content as dicts, lists and texts, and the line of each path."""

    content: Any
    lines: dict[Path, int] = field(default_factory=dict)

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


def read_yaml(data: bytes) -> YamlText:
    """The document in `data`. Raises YamlProblem."""
    if len(data) > MAX_BYTES:
        raise YamlProblem(1, f"the file has more than {MAX_BYTES} bytes; split the plant or remove what is not needed")
    try:
        text = data.decode("utf-8-sig")
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise YamlProblem(1, "the file is not UTF-8; save it as UTF-8") from None
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        raise YamlProblem(mark.line + 1 if mark else 1, f"this is no YAML: {wrong.problem or wrong.context}") from None
    except yaml.YAMLError as wrong:
        raise YamlProblem(1, f"this is no YAML: {str(wrong).splitlines()[0]}") from None
    document = YamlText({})
    if node is not None:
        document.content = _plain(node, (), document.lines)
    if not isinstance(document.content, dict):
        raise YamlProblem(1, "the file must hold keys with values, like `plant:`")
    return document


def _check_events(text: str) -> None:
    """Refuse what this configuration does not use before anything is built from it."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if count > MAX_NODES:
            raise YamlProblem(line, f"the file has more than {MAX_NODES} parts")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlProblem(line, "anchors and aliases are not used here; write the text out")
        if getattr(event, "tag", None):
            raise YamlProblem(line, "tags are not used here; write plain text")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlProblem(line, "a second document begins here; each file holds one")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlProblem(line, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlProblem(line, "a key must be one text")
            if key.value in found:
                raise YamlProblem(line, f"`{key.value}` stands here twice; keep one")
            lines[(*path, key.value)] = line
            found[key.value] = _plain(value, (*path, key.value), lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), lines) for index, item in enumerate(node.value)]
    return node.value
