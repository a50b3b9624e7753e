"""Which rule decides about a record: the first one, in the order of plant.yaml, whose `when` and `unless` match."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from streams.mapping.items import Problems
from streams.mapping.paths import TEXT, Getter, compile_path

T = TypeVar("T")


class AllBut:
    """Every text but these."""

    __slots__ = ("_excluded",)

    def __init__(self, excluded: Sequence[str]) -> None:
        self._excluded = frozenset(excluded)

    def __contains__(self, text: str) -> bool:
        return text not in self._excluded


Conditions = tuple[tuple[Getter, frozenset[str] | AllBut], ...]


class DispatchRule(NamedTuple, Generic[T]):
    """`when`, `unless`: path -> values; and what they lead to."""

    when: Mapping[str, Sequence[str]]
    target: T
    unless: Mapping[str, Sequence[str]] = MappingProxyType({})


def compile_dispatch(
    rules: Sequence[DispatchRule[T]], problems: Problems, where: tuple[str | int, ...] = ("events",)
) -> Callable[[Any], T | None]:
    """A chooser from a record to the target of the first rule that matches, or None. `where`: the list of the rules, from
    the source.

    The path that most rules ask for is looked up once; the rest of a rule is tried only if that value fits.
    """
    getters = {
        path: compile_path(path, problems.at(*where, index, keyword, path))
        for index, rule in enumerate(rules)
        for keyword, paths in (("when", rule.when), ("unless", rule.unless))
        for path in paths
    }
    asked = Counter(path for rule in rules for path in rule.when) or Counter(getters)
    if not asked:
        first = rules[0].target if rules else None
        return lambda node: first
    key = asked.most_common(1)[0][0]
    key_getter = getters[key]

    def conditions(rule: DispatchRule[T]) -> Conditions:
        wanted = tuple((getters[path], frozenset(values)) for path, values in rule.when.items() if path != key)
        return (*wanted, *((getters[path], AllBut(values)) for path, values in rule.unless.items()))

    def candidates(value: str | None) -> tuple[tuple[Conditions, T], ...]:
        return tuple((conditions(rule), rule.target) for rule in rules if key not in rule.when or value in rule.when[key])

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
    if type(value) is dict and TEXT in value:
        return _comparable(value[TEXT])
    return value if type(value) is str else "\0"
