"""What is right for one case: sums of posted quantities by partial keys, what stays open, what is told.

A key is `kind:order`, then optionally `:material`, `@lot`, `/operation`, `~business date`, `#reason`, `>location`,
`^reservation item`, `!posting date`, ` place=place`; a part that is not given matches all, a mark alone (`@`) matches what has
none. `final:order/operation` counts final flags.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

Entry = Mapping[str, str]
"""One line of an export, by column; postings have also those of `DETAILS`."""

DETAILS = ("location", "reservation_item", "posting_date", "place", "final")
MARKS = {
    ":": "material",
    "@": "lot",
    "/": "operation",
    "~": "business_date",
    "#": "reason",
    ">": "location",
    "^": "reservation_item",
    "!": "posting_date",
}
_PART = re.compile(r"([:@/~#>^!])([^:@/~#>^!]*)")


@dataclass(slots=True, frozen=True)
class Key:
    """A partial key: the columns that it states."""

    kind: str
    parts: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> "Key":
        text, _, place = text.partition(" place=")
        kind, _, rest = text.partition(":")
        order, mark, more = re.match(r"([^:@/~#>^!]*)([:@/~#>^!]?)(.*)", rest).groups()  # type: ignore[union-attr]
        parts = {"order": order, **{MARKS[sign]: value for sign, value in _PART.findall(mark + more)}}
        return cls(kind, {**parts, **({"place": place} if place else {})})

    def matches(self, entry: Entry) -> bool:
        """Whether the columns of `entry` are those that the key states."""
        return self.kind in (entry["kind"], "final") and all(entry[name] == value for name, value in self.parts.items())

    def value(self, entry: Entry) -> Fraction:
        return Fraction(entry["final"] == "yes") if self.kind == "final" else Fraction(entry["quantity"])


@dataclass(slots=True, frozen=True)
class Right:
    """The right result of a case, as `right.json` states it."""

    why: str
    right: Mapping[str, str]
    """Key -> sum of posted quantities. Of a kind and order that one key names, no posting is outside of all keys."""
    open: Mapping[str, str] | None = field(default_factory=dict)
    """`CODE key` -> `quantity unit`: all of what is recorded and not posted, except what is not due. None: anything may wait."""
    told: Sequence[str] = ()
    """Each is part of a line of "Needs somebody"."""
    refused: Mapping[str, int] | None = field(default_factory=dict)
    """Code -> number of dead letters; all of them. None: there may be any."""
    quiet: bool = False
    """Nobody needs anything."""

    @classmethod
    def read(cls, path: Path) -> "Right":
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def differences(
        self, postings: Sequence[Entry], not_posted: Sequence[Entry], needs: Sequence[str], refused: Mapping[str, int]
    ) -> list[str]:
        """What differs from the right result, one line each."""
        return [
            *self._posted(postings),
            *self._open([entry for entry in not_posted if entry["code"] != "NOT_DUE"]),
            *(f"not told: {text}" for text in self.told if not any(text in need for need in needs)),
            *(f"told without need: {need}" for need in needs if self.quiet),
            *self._refused(refused),
        ]

    def _refused(self, refused: Mapping[str, int]) -> Iterable[str]:
        if self.refused is not None and dict(refused) != dict(self.refused):
            yield f"refused {dict(refused)}, right: {dict(self.refused)}"

    def _posted(self, postings: Sequence[Entry]) -> Iterable[str]:
        keys = {text: Key.of(text) for text in self.right}
        for text, key in keys.items():
            found = sum((key.value(entry) for entry in postings if key.matches(entry)), Fraction(0))
            if found != Fraction(self.right[text]):
                yield f"{text}: {float(found):g} posted, right: {self.right[text]}"
        named = {(key.kind, key.parts["order"]) for key in keys.values()}
        for entry in postings:
            if (entry["kind"], entry["order"]) in named and not any(key.matches(entry) for key in keys.values()):
                yield f"posted although no key names it: {dict(entry)}"

    def _open(self, entries: Sequence[Entry]) -> Iterable[str]:
        if self.open is None:
            return
        stated = {text: (text.split(" ", 1)[0], Key.of(text.split(" ", 1)[1])) for text in self.open}
        for text, (code, key) in stated.items():
            quantity, unit = self.open[text].split(" ")
            found = [entry for entry in entries if entry["code"] == code and key.matches(entry)]
            units = {entry["uom"] for entry in found}
            if sum((key.value(entry) for entry in found), Fraction(0)) != Fraction(quantity) or units - {unit} or not found:
                yield f"{text}: open {[(entry['quantity'], entry['uom']) for entry in found]}, right: {quantity} {unit}"
        for entry in entries:
            if not any(entry["code"] == code and key.matches(entry) for code, key in stated.values()):
                yield f"open although no key names it: {dict(entry)}"
