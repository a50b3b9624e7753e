"""Times in a form like `%d.%m.%Y %H:%M:%S`. Read here and not by the C library: neither the zone nor the language of the host has
a say, and what a form cannot say for sure is refused when it is compiled."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import NamedTuple

from streams.mapping.instants import bad_time, day_after
from streams.mapping.items import Problems

Form = Callable[[str], datetime]
"""text -> stamp, naive where it states no offset. Raises Refusal BAD_TIME."""

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PIVOT = 69
"""Two digits from here on are of the last century, as POSIX has it."""
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(?::?(\d\d))?", re.ASCII)
_UTC_NAMES = frozenset({"utc", "gmt", "ut", "z"})
_WIDTH = {"d": 2, "m": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}
"""Digits at most; exactly so many where the next directive or digit follows at once."""
_PATTERNS = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "f": r"\d{1,12}",
    "p": r"[ap]\.?\s?m\.?",
    "b": "|".join(name[:3] for name in _MONTHS),
    "B": "|".join(_MONTHS),
    "a": "|".join(name[:3] for name in _DAYS),
    "A": "|".join(_DAYS),
    "z": r"z|[+-]\d\d:?\d\d(?::?\d\d)?",
}
_KNOWN = frozenset({*_WIDTH, *_PATTERNS, "Z"})
_NUMBERS = frozenset({*_WIDTH, "Y", "y", "f"})
_TOKEN = re.compile(r"%(.?)|(\s+)|([^%\s])", re.DOTALL)
_NEEDS = (("M", "HI"), ("S", "M"), ("f", "S"), ("I", "p"), ("p", "I"))
_EITHER = ("Yy", "HI", "zZ", "aA", "mbBj", "dj")
"""Of each group a form has one at most: two could contradict each other."""


class _Token(NamedTuple):
    directive: str
    literal: str

    @property
    def digits(self) -> bool:
        return self.directive in _NUMBERS or self.literal.isdigit()


def compile_form(form: str, zones: Mapping[str, str], problems: Problems) -> Form:
    """The reader of times in `form`. `zones`: names that `%Z` may have beside UTC and GMT -> `+02:00`. What is wrong with
    the form is added to `problems`."""
    tokens = [_token(*groups) for groups in _TOKEN.findall(form.strip())]
    wrong = _wrong(form, tokens)
    if wrong:
        problems.add(f"`date: {form}` {wrong}")
        return _nothing
    offsets = {name.casefold(): _offset(text) for name, text in zones.items()} | dict.fromkeys(_UTC_NAMES, UTC)
    pattern = re.compile(_pattern(tokens, offsets), re.ASCII | re.IGNORECASE)

    def read(text: str) -> datetime:
        match = pattern.fullmatch(text.strip())
        if match is None:
            raise bad_time(text, form)
        found = {name: value.casefold() for name, value in match.groupdict().items()}
        try:
            return _stamp(found, offsets)
        except (ValueError, OverflowError, KeyError):
            raise bad_time(text, form) from None

    return read


def _token(directive: str, blank: str, literal: str) -> _Token:
    if directive == "%":
        return _Token("", "%")
    return _Token(directive, " " if blank else literal)


def _nothing(text: str) -> datetime:
    raise bad_time(text)


def _wrong(form: str, tokens: list[_Token]) -> str:
    """Why `form` cannot be read for sure; empty: it can."""
    directives = [token.directive for token in tokens if token.directive]
    there = set(directives)
    if not there or re.search(r"%\Z", form.replace("%%", "")):
        return "is no time format; write iso, excel, epoch_s, epoch_ms, epoch_us, epoch_ns or like %d.%m.%Y %H:%M:%S"
    unknown = [name for name in directives if name not in _KNOWN]
    if unknown:
        return f"has `%{unknown[0]}`, which is not read here; there are {', '.join(f'%{name}' for name in sorted(_KNOWN))}"
    twice = [name for name in directives if directives.count(name) > 1] or [
        name for group in _EITHER for name in directives if name in group and len(there & set(group)) > 1
    ]
    if twice:
        return f"says the same thing twice (%{twice[0]})"
    if not there & set("Yy") or not ("j" in there or ("d" in there and there & set("mbB"))):
        return "has no whole date: year, month and day; put a date and a time in two fields together with `join`"
    for name, needed in _NEEDS:
        if name in there and not there & set(needed):
            return f"has %{name} without {' or '.join(f'%{other}' for other in needed)}"
    for token, after in pairwise(tokens):
        if token.directive == "f" and after.digits:
            return "has digits behind %f, whose end cannot be known"
    return ""


def _pattern(tokens: list[_Token], offsets: Mapping[str, timezone]) -> str:
    names = "|".join(re.escape(name) for name in sorted(offsets, key=len, reverse=True))
    patterns = {**_PATTERNS, "Z": names}
    parts = []
    for index, (directive, literal) in enumerate(tokens):
        beside = [tokens[at] for at in (index - 1, index + 1) if 0 <= at < len(tokens)]
        if not directive:
            parts.append(r"\s+" if literal == " " else re.escape(literal))
        elif directive in _WIDTH:
            width = _WIDTH[directive]
            lowest = width if any(token.digits for token in beside) else 1
            parts.append(rf"(?P<{directive}>\d{{{lowest},{width}}})")
        else:
            parts.append(f"(?P<{directive}>{patterns[directive]})")
    return "".join(parts)


def _stamp(found: Mapping[str, str], offsets: Mapping[str, timezone]) -> datetime:
    """Raises ValueError, OverflowError or KeyError where it is none."""
    year = int(found["Y"]) if "Y" in found else _century(int(found["y"]))
    hour = _hour(found)
    ends = hour == 24
    clock = (0 if ends else hour, int(found.get("M", "0")), int(found.get("S", "0")), int((found.get("f", "0") + "00000")[:6]))
    if ends and any(clock):
        raise ValueError("beyond 24:00")
    if "j" in found:
        stamp = datetime(year, 1, 1, *clock) + timedelta(days=int(found["j"]) - 1)  # noqa: DTZ001  the zone follows
        if stamp.year != year:
            raise ValueError("no day of that year")
    else:
        stamp = datetime(year, _month(found), int(found["d"]), *clock)  # noqa: DTZ001  the zone follows
    day = found.get("a") or found.get("A")
    if day is not None and not _DAYS[stamp.weekday()].startswith(day):
        raise ValueError("another day of the week")
    zone = offsets[found["Z"]] if "Z" in found else _offset(found["z"]) if "z" in found else None
    return (day_after(stamp) if ends else stamp).replace(tzinfo=zone)


def _century(digits: int) -> int:
    return digits + (1900 if digits >= _PIVOT else 2000)


def _month(found: Mapping[str, str]) -> int:
    if "m" in found:
        return int(found["m"])
    name = found.get("B") or found["b"]
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name))


def _hour(found: Mapping[str, str]) -> int:
    if "I" not in found:
        return int(found.get("H", "0"))
    hour = int(found["I"])
    if not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    return hour % 12 + (12 if found["p"].startswith("p") else 0)


def _offset(text: str) -> timezone:
    """Of `+02:00` or `z`. Raises ValueError."""
    if text == "z":
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3]) > 59 or int(match[4] or 0) > 59:
        raise ValueError("no offset")
    span = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return timezone(-span if match[1] == "-" else span)
