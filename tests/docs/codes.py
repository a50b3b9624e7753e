"""Every stable error code that the program can show, found in its source without running it.

A code is a text in UPPER_SNAKE in one of the positions below. Texts that look like one and stand anywhere else are returned
as `unplaced`, so that a new position is noticed instead of silently missed.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCES = ("lineledger.py", "app", "streams", "tables", "schemas", "deploy/tryton/trytond_lineledger")
NO_SOURCES = ("app/demo/", "schemas/records.py")
"""The demo states which codes it expects; records.py is generated and has none."""
PASSED_ON = "deploy/tryton/"
"""There each such text is a code: functions hand them on to the one place that raises."""

CALLS = frozenset(
    {
        "Refusal",
        "RefusedValue",
        "RefusedRecord",
        "RefusedInMapping",
        "RefusedCall",
        "UnreadableFile",
        "ErpUnavailable",
        "Failure",
        "CommandFailure",
        "Answer",
        "Misbehaviour",
        "Gate",
        "question",
        "refuse",
        "refused",
        "fail",
        "later",
    }
)
"""Functions and classes that take a code, by their last name."""
DESK_CALLS = frozenset({"move", "suspend", "report"})
"""Of the delivery stage only: the names are common."""
DESK = "streams/delivery"
POSTING_STATE = "tables/delivery/posting_state.py"
"""The codes of postings are constants there."""
CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
LEADING = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): ")
"""A message that begins with its code."""
MESSAGE = re.compile(r'name="text">([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): ')
"""The same in the message files of the ERP's module."""
LOOKS_LIKE_ONE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
SHORTEST = 4
NO_CODES = re.compile(r"LINELEDGER_\w+|SASL_\w+")
"""Names of environment variables, and of Kafka's security protocols."""


class Found(NamedTuple):
    """Code -> files that have it, and texts that look like a code in no known position, as `file:line text`."""

    codes: dict[str, set[str]]
    unplaced: list[str]


class Module(NamedTuple):
    name: str
    tree: ast.Module


def modules(root: Path = ROOT) -> list[Module]:
    found = []
    for source in SOURCES:
        for path in sorted((root / source).rglob("*.py")) if not source.endswith(".py") else [root / source]:
            name = path.relative_to(root).as_posix()
            if not name.startswith(NO_SOURCES):
                found.append(Module(name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def messages(root: Path = ROOT) -> dict[str, set[str]]:
    """Codes of messages that the ERP's module keeps as data."""
    found: dict[str, set[str]] = {}
    for path in sorted((root / PASSED_ON).rglob("*.xml")):
        for code in MESSAGE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(code, set()).add(path.relative_to(root).as_posix())
    return found


def find(parsed: Iterable[Module], known: Mapping[str, set[str]] | None = None) -> Found:
    """The codes of these modules, added to `known`; names of constants are resolved among all modules."""
    parsed = list(parsed)
    constants = _constants(parsed)
    codes = {code: set(files) for code, files in (known or {}).items()}
    unplaced = []
    for module in parsed:
        placed: set[int] = set()
        for code in _codes_of(module, constants, placed):
            codes.setdefault(code, set()).add(module.name)
        for node in ast.walk(module.tree):
            text = _text(node)
            if not LOOKS_LIKE_ONE.fullmatch(text) or id(node) in placed:
                continue
            if module.name.startswith(PASSED_ON):
                codes.setdefault(text, set()).add(module.name)
            elif not NO_CODES.fullmatch(text):
                unplaced.append(f"{module.name}:{getattr(node, 'lineno', 0)} {text}")
    # A text that only compares with, groups or explains a code which stands elsewhere is no new code.
    return Found(codes, [entry for entry in unplaced if entry.rpartition(" ")[2] not in codes])


def _constants(parsed: Iterable[Module]) -> dict[str, ast.expr]:
    """NAME = "CODE" and NAME = {...: "CODE"} at module level, by name."""
    found: dict[str, ast.expr] = {}
    for module in parsed:
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Dict):
                found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
    return found


def _codes_of(module: Module, constants: dict[str, ast.expr], placed: set[int]) -> Iterator[str]:
    calls = CALLS | DESK_CALLS if module.name.startswith(DESK) else CALLS
    documentation = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        for expression in _positions(node, calls):
            yield from _texts(expression, constants, placed)
        if isinstance(node, ast.ClassDef) and any(_last_name(base) in ("IntEnum", "StrEnum") for base in node.bases):
            yield from _members(node)
        if id(node) not in documentation and (leading := LEADING.match(_text(node))):
            yield leading[1]
    if module.name == POSTING_STATE:
        for node in module.tree.body:
            if isinstance(node, ast.Assign):
                yield from _texts(node.value, constants, placed)


def _positions(node: ast.AST, calls: frozenset[str]) -> Iterator[ast.expr]:
    """Expressions in which a code may stand."""
    match node:
        case ast.Call(func=function, args=args, keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "code")
            if _last_name(function) in calls:
                yield from args
            if _last_name(function) == "getattr" and len(args) == 3 and _text(args[1]) == "code":
                yield args[2]
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(target, value)
        case ast.Dict(keys=keys, values=values):
            yield from (value for key, value in zip(keys, values, strict=True) if _text(key) == "code")


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, its_value in zip(target.elts, value.elts, strict=True):
            yield from _assigned(one, its_value)
    elif _last_name(target) == "code":
        yield value


def _texts(expression: ast.expr, constants: dict[str, ast.expr], placed: set[int]) -> Iterator[str]:
    """The codes that an expression can be: literal, constant, value of a constant table, either side of a choice."""
    match expression:
        case ast.Constant(value=str(text)) if CODE.fullmatch(text) and len(text) >= SHORTEST:
            placed.add(id(expression))
            yield text
        case ast.Name(id=name) if name in constants:
            yield from _texts(constants[name], {}, placed)
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(constants.get(name), ast.Dict):
            for value in constants[name].values:  # type: ignore[attr-defined]
                yield from _texts(value, {}, placed)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body, constants, placed)
            yield from _texts(orelse, constants, placed)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _texts(value, constants, placed)


def _members(enum: ast.ClassDef) -> Iterator[str]:
    for node in enum.body:
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name) and CODE.fullmatch(target.id))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.AST | None) -> str:
    """The text of a literal; empty: it is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
