"""When an account becomes a posting: the words of `when:` in rules.yaml as tagged values."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.configuration.values import Amount, Duration, Section, duration_text, duration_us

_INTERVAL = re.compile(r"every\s+(\d+\s*(?:us|ms|s|min|h|d|w))")
_QUANTITY = re.compile(r"every\s+(\d+(?:\.\d+)?)\s+(\S+)")
_AT_ONCE = re.compile(r"above\s+(\d+(?:\.\d+)?)\s+(\S+)\s+at\s+once")
_WORDS = ("shift_end", "order_completed", "operation_completed")


class Cut(Section):
    """At the end of each shift, or when the order (or the operation) is completed."""

    tag: Literal["shift_end", "order_completed", "operation_completed"]

    def __str__(self) -> str:
        return self.tag


class Interval(Section):
    """At every multiple of `interval_us` of log time (since 1970-01-01 UTC)."""

    tag: Literal["interval"] = "interval"
    interval_us: Annotated[Duration, Field(gt=0)]

    def __str__(self) -> str:
        return f"every {duration_text(self.interval_us)}"


class EveryQuantity(Section):
    """Whenever `amount` `unit` more are not yet posted."""

    tag: Literal["quantity"] = "quantity"
    amount: Amount
    unit: str

    def __str__(self) -> str:
        return f"every {self.amount} {self.unit}"


class AtOnce(Section):
    """When a single declaration is above `amount` `unit`."""

    tag: Literal["at_once"] = "at_once"
    amount: Amount
    unit: str

    def __str__(self) -> str:
        return f"above {self.amount} {self.unit} at once"


def _from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split())
    if text in _WORDS:
        return {"tag": text}
    # A unit called like a duration (`every 10 min`) is the duration: nobody posts every ten minutes' worth of pieces.
    if match := _INTERVAL.fullmatch(text):
        return {"tag": "interval", "interval_us": duration_us(match[1])}
    if match := _AT_ONCE.fullmatch(text):
        return {"tag": "at_once", "amount": match[1], "unit": match[2]}
    if match := _QUANTITY.fullmatch(text):
        return {"tag": "quantity", "amount": match[1], "unit": match[2]}
    raise ValueError(
        f"`{text}` is no trigger; write {', '.join(_WORDS)}, `every 30 min`, `every 10 BOX` or `above 200 PC at once`"
    )


Trigger = Annotated[
    Annotated[Cut | Interval | EveryQuantity | AtOnce, Field(discriminator="tag")],
    BeforeValidator(_from_text, json_schema_input_type=str),
]


class Measure(Section):
    """A decimal amount with its unit, written `1 BOX`."""

    amount: Amount
    unit: str

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


def _measure(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s+(\S+)", value.strip())
    if match is None:
        raise ValueError(f"`{value}` is no amount with a unit; write `1 BOX`")
    return {"amount": match[1], "unit": match[2]}


MeasureText = Annotated[Measure, BeforeValidator(_measure, json_schema_input_type=str)]
