"""What must not be told: values that a process knows as secrets, and what looks like one by its form."""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, Self
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""Characters. A shorter value would be found in every second word; nobody should have such a password."""
_NAMES = re.compile(r"PASSW|TOKEN|SECRET|CREDENTIAL|PRIVATE|_KEY$|USER_?INFO", re.IGNORECASE)
"""Names of settings and of environment variables whose values are secret."""
_NO_SECRETS = re.compile(r"LOCATION$|MECHANISM|_FILE$|_PATH$|_SOCK$", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/\s@'\"]+:[^/\s@'\"]+(?=@)")
_AUTHORIZATION = re.compile(r"\b(Bearer|Basic|Session)( +)[A-Za-z0-9+/=._~-]{8,}")


class Changing(Protocol):
    def values(self) -> tuple[str, ...]:
        """Of one secret: the present value and former ones."""


class Secrets:
    """Hides what it knows in texts that leave the process: logs, dead letters, answers of an ERP."""

    def __init__(self, values: Iterable[str] = (), in_use: Sequence[Changing] = ()) -> None:
        self._values, self._in_use = tuple(values), tuple(in_use)
        self._learn(self._now())

    def learn(self, secret: Changing) -> None:
        """Hide this one, too, from now on, and what it will be changed to."""
        self._in_use = (*self._in_use, secret)
        self._learn(self._now())

    def _now(self) -> tuple[tuple[str, ...], ...]:
        return tuple(secret.values() for secret in self._in_use)

    def _learn(self, now: tuple[tuple[str, ...], ...]) -> None:
        self._of = now
        values = [*self._values, *(value for values in now for value in values)]
        forms = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
        # Longest first: a part that is hidden must not break up the whole.
        spelled = "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
        self._known = re.compile(spelled) if spelled else None

    @classmethod
    def of(
        cls, environ: Mapping[str, str], *settings: Mapping[str, str], named: Iterable[str] = (), in_use: Sequence[Changing] = ()
    ) -> Self:
        """Of the environment and of librdkafka's settings, by the names that say so; `named`: variables of any name; `in_use`:
        secrets that may change while the process runs."""
        found = [value for source in (environ, *settings) for name, value in source.items() if _is_secret(name)]
        return cls([*found, *(environ[name] for name in named if name in environ)], in_use)

    def hide(self, text: str) -> str:
        if self._in_use and (now := self._now()) != self._of:
            self._learn(now)
        shown = text if self._known is None else self._known.sub(HIDDEN, text)
        return _AUTHORIZATION.sub(rf"\1\2{HIDDEN}", _USER_INFO.sub(HIDDEN, shown))


def _is_secret(name: str) -> bool:
    plain = name.replace(".", "_")
    return bool(_NAMES.search(plain)) and not _NO_SECRETS.search(plain)


def _forms(value: str) -> Iterable[str]:
    """As it is, in a URL, in JSON and Python texts, in base64 at each of the three places where a byte can begin."""
    yield from (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1])
    raw = value.encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # Letters that also depend on the neighbours are left out.
        inner = coded[(0, 2, 3)[before] : len(coded) - (1 if (before + len(raw)) % 3 else 0)]
        if len(inner) >= 2 * SHORTEST:
            yield inner
    if len(raw) >= SHORTEST:
        yield raw.hex()
