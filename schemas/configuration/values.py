"""Scalar types of the configuration. YAML gives every scalar as text; these types give it its meaning.

Each accepts the text that people write and the JSON value that the canonical document holds, so a stored document can
be validated again and gives the same model.
"""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import core_schema

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_UNIT_WORDS = {"sec": "s", "min": "min", "hour": "h", "hr": "h", "day": "d", "week": "w", "milli": "ms", "micro": "us"}
"""How units are written out -> how they are written here."""
_DURATION = re.compile(r"(\d{1,9})\s*(us|ms|s|min|h|d|w)")
_WALL_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(\s*-\s*([01]\d|2[0-3]):[0-5]\d)?")
_CONVERSION = re.compile(r"\d+(\.\d+)?\s+\S+\s*=\s*\d+(\.\d+)?\s+\S+")
_NAME = re.compile(r"[^\s|:*]{1,64}")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"\d{1,18}(\.\d{1,9})?")
_ZONE_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}


class Section(BaseModel):
    """A part of a configuration file. Unknown keys are refused; nothing changes after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


def without_retired(data: Any, key: str, only: str) -> Any:
    """The section without a key that had one value and therefore no effect: files and stored configurations may still say it."""
    if isinstance(data, dict) and key in data:
        if data[key] != only:
            raise ValueError(f"`{key}: {data[key]}`: there is only {only}; leave `{key}` out")
        return {name: value for name, value in data.items() if name != key}
    return data


class NumberFormat(NamedTuple):
    """How a source writes numbers. `group`: empty when digits are not grouped; `minus_behind`: `5,00-` is -5."""

    group: str
    point: str
    minus_behind: bool


_NUMBER_FORM = re.compile(r"1([., '])?234([.,])56(-)?")


def number_format(form: str) -> NumberFormat:
    """The format that shows 1234.56 as `form`: `1.234,56`, `1234,56`, `1 234.56-` and so on. Raises ValueError."""
    match = _NUMBER_FORM.fullmatch(form)
    if match is None or match[1] == match[2]:
        raise ValueError(f'`{form}` is no form of a number; write 1234.56 as the source does, e.g. "1.234,56"')
    return NumberFormat(match[1] or "", match[2], bool(match[3]))


def _number_form(value: str) -> str:
    number_format(value)
    return value


_ASCII = bytes(range(0x20, 0x7F)) + b"\t\r\n"


_UTF16 = re.compile(r"utf[-_]?16([-_]?(le|be))?", re.IGNORECASE)


def is_utf16(encoding: str) -> bool:
    """A file in it is read as UTF-16, and its records are UTF-8."""
    return _UTF16.fullmatch(encoding) is not None


def _encoding(value: str) -> str:
    """Lines and quotes are found before the text is decoded, so ASCII must stand for itself; UTF-16 becomes UTF-8 before."""
    if is_utf16(value):
        return value
    message = f"`{value}` is no encoding that can be read here; write one like utf-8, cp1250, latin-1"
    try:
        if _ASCII.decode(value) == _ASCII.decode("ascii"):
            return value
    except (LookupError, UnicodeError) as wrong:
        raise ValueError(message) from wrong
    raise ValueError(message)


def duration_text(us: int) -> str:
    """Microseconds as people write them: 1800000000 -> `30 min`."""
    for name in ("d", "h", "min", "s", "ms"):
        if us % _UNITS_US[name] == 0:
            return f"{us // _UNITS_US[name]} {name}"
    return f"{us} us"


def _duration_meant(text: str) -> str:
    """What to write instead of a text that is no duration."""
    number, word = re.fullmatch(r"(\d{0,9})\s*(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # anything fits
    unit = next((unit for begins, unit in _UNIT_WORDS.items() if word.lower().startswith(begins)), "")
    if number and unit:
        return f"write `{number} {unit}`"
    if number and not word and number.strip("0"):
        seconds = duration_text(int(number) * _UNITS_US["s"])
        return f"it needs a unit, e.g. `{number} min`; `{seconds}` if these are seconds"
    return f"write a number and one of {', '.join(_UNITS_US)}, e.g. `15 min` or `7 d`"


def duration_us(value: Any) -> int:
    """`15 min`, `4 h`, `7 d`, `1 s` (or `0`) as microseconds; an int is microseconds already. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError("a duration is never negative")
        return value
    text = str(value).strip()
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is no duration; {_duration_meant(text)}")
    return int(match[1]) * _UNITS_US[match[2]]


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _WHOLE.fullmatch(value.strip()):
        raise ValueError(f"`{value}` is no whole number")
    return int(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"`{value}` is neither true nor false")


def _rate(value: Any) -> Fraction:
    if isinstance(value, Fraction):
        return value
    try:
        rate = Fraction(str(value).strip())
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"`{value}` is no number like `10`, `0.5` or `1/3`") from None
    if not 0 < rate <= 100_000:
        raise ValueError(f"`{value}` must be above 0 and at most 100000")
    return rate


def _wall_time(value: str) -> str:
    if not _WALL_TIME.fullmatch(value):
        raise ValueError(f'`{value}` is no time of day; write "06:00" or "06:00-14:00"')
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as wrong:
        raise ValueError(f"`{value}` is no regular expression: {wrong}") from None
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{value}' is no time zone; write one like Europe/Prague") from None
    return value


def _zone_offset(value: str) -> str:
    if not _ZONE_OFFSET.fullmatch(value):
        raise ValueError(f'`{value}` is no offset from UTC; write "+02:00" or "-05:00"')
    return value


def _conversion(value: str) -> str:
    if not _CONVERSION.fullmatch(value):
        raise ValueError(f"`{value}` is no conversion; write `1 BOX = 48 PC`")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"`{value}` is no name (1 to 64 characters, no blank, none of | : *)")
    return value


def _secret_name(value: str) -> str:
    if value and not _SECRET.fullmatch(value):
        # The text is not repeated: it may be the secret itself.
        raise ValueError("write the name of a secret, never its value: letters, digits, `_`, `.`, `-`, at most 63")
    return value


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f"`{value}` is no date; write YYYY-MM-DD") from None


def _amount(value: Any) -> str:
    text = str(value).strip()
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"`{value}` is no decimal number like `12` or `0.5`")
    return format(Decimal(text).normalize(), "f")


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


Duration = Annotated[
    int,
    BeforeValidator(duration_us),
    WithJsonSchema({"type": ["string", "integer"], "description": "`15 min`, `4 h`, `7 d`, `1 s`; us ms s min h d w"}),
]
"""Microseconds."""
Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "string"]})]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": ["boolean", "string"]})]
Rate = Annotated[
    Fraction,
    BeforeValidator(_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "description": "`10`, `0.5` or `1/3`; exact"}),
]
WallTime = Annotated[str, AfterValidator(_wall_time)]
Pattern = Annotated[str, Field(max_length=256), AfterValidator(_pattern)]
Zone = Annotated[str, AfterValidator(_zone)]
"""IANA zone."""
ZoneOffset = Annotated[str, AfterValidator(_zone_offset)]
Conversion = Annotated[str, AfterValidator(_conversion)]
Name = Annotated[str, AfterValidator(_name)]
Day = Annotated[str, AfterValidator(_day)]
NumberForm = Annotated[str, AfterValidator(_number_form)]
Encoding = Annotated[str, AfterValidator(_encoding)]
SecretName = Annotated[str, AfterValidator(_secret_name)]
Amount = Annotated[str, BeforeValidator(_amount), WithJsonSchema({"type": ["string", "number"]})]
"""Decimal as plain text without trailing zeros; never a float."""
OneOrMany = BeforeValidator(_one_or_many, json_schema_input_type=Any)
"""`when: shift_end` is the list with one entry."""


def one_of(*words: str) -> GetPydanticSchema:
    """Annotates a text that is one of these words: as a Literal, of words that a register knows."""
    return GetPydanticSchema(lambda _source, _handler: core_schema.literal_schema(list(words)))
