"""How a source writes numbers: the stated form becomes the plain one (`-1234.56`), which is the only one that fields read."""

import re
from collections.abc import Callable

from schemas.configuration.values import number_format
from streams.mapping.items import RefusedInMapping
from tables.quantity import MAX_TEXT

Step = Callable[[str], str]

_GROUPS = {" ": "[ \u00a0\u202f]", "'": "['\u2019]"}
"""A blank may be a no-break or a narrow one, an apostrophe the typographic one."""


def plain_number(form: str) -> Step:
    """A step from a number in `form` to the plain one. Raises Refusal BAD_DECIMAL for a number in another form; where groups
    are stated a number has none, or all of them with three digits each and no zero in front: `0.525` is
    a number of another form than `1.234,56`. A text without a digit passes (UNAVAILABLE)."""
    group, point, minus_behind = number_format(form)
    separator = _GROUPS.get(group, re.escape(group))
    whole = rf"[1-9][0-9]{{0,2}}(?:{separator}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
    behind = "-?" if minus_behind else ""
    number = re.compile(rf"([+-]?)({whole})?(?:{re.escape(point)}([0-9]*))?({behind})")

    def plain(text: str) -> str:
        if not any(sign.isdigit() for sign in text):
            return text
        match = number.fullmatch(text) if len(text) <= MAX_TEXT else None
        if match is None or (match[1] and match[4]):
            raise RefusedInMapping("BAD_DECIMAL", f"`{text[:MAX_TEXT]}` is no number like {form}")
        digits = re.sub("[^0-9]", "", match[2] or "0")
        sign = "-" if "-" in match[1] + match[4] else ""
        return f"{sign}{digits}.{match[3]}" if match[3] else f"{sign}{digits}"

    return plain
