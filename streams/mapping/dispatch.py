"""Which rule decides about a record: the first one, in the order of plant.yaml, whose `when` matches."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from streams.mapping.items import Problems
from streams.mapping.paths import Getter, compile_path

T = TypeVar("T")
Conditions = tuple[tuple[Getter, frozenset[str]], ...]


class Rule(NamedTuple, Generic[T]):
    """`when`: path -> values, and what it leads to."""

    when: Mapping[str, Sequence[str]]
    target: T


def compile_dispatch(rules: Sequence[Rule[T]], problems: Problems) -> Callable[[Any], T | None]:
    """A chooser from a record to the target of the first rule that matches, or None.

    The path that most rules ask for is looked up once; the rest of a rule is tried only if that value fits.
    """
    getters = {
        path: compile_path(path, problems.at("events", index, "when", path))
        for index, rule in enumerate(rules)
        for path in rule.when
    }
    asked = Counter(path for rule in rules for path in rule.when)
    if not asked:
        first = rules[0].target if rules else None
        return lambda node: first
    key = asked.most_common(1)[0][0]
    key_getter = getters[key]

    def candidates(value: str | None) -> tuple[tuple[Conditions, T], ...]:
        return tuple(
            (tuple((getters[path], frozenset(values)) for path, values in rule.when.items() if path != key), rule.target)
            for rule in rules
            if key not in rule.when or value in rule.when[key]
        )

    by_value = {value: candidates(value) for rule in rules for value in rule.when.get(key, ())}
    others = candidates(None)

    def choose(node: Any) -> T | None:
        value = key_getter(node, node)
        for conditions, target in by_value.get(value if type(value) is str else _comparable(value), others):
            for getter, values in conditions:
                found = getter(node, node)
                if (found if type(found) is str else _comparable(found)) not in values:
                    break
            else:
                return target
        return None

    return choose


def _comparable(value: Any) -> str:
    """The text that `when` compares: nothing is the empty text; a list or a record equals no text."""
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    return value if type(value) is str else "\0"
