"""I7 as a finding: names and values that a run saw as telemetry are looked for in every request that really left."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.erp.canary import Leak, forms_of
from app.erp.port import Document, DocumentLine
from app.erp.traffic import Request
from schemas.records import Movement

SHORTEST_NAME, SHORTEST_NUMBER = 6, 10
"""Characters of a name, digits of a number: shorter ones are found by chance (app/erp/canary.py)."""
MAX_SEARCHED = 300
"""Names and values that are searched as parts of words; all others only as whole words."""
MAX_KEPT = 20_000
MAX_LEAKS = 20
VOCABULARY = (
    " ".join((*DocumentLine.__dataclass_fields__, *Document.__dataclass_fields__, *Movement.__slots__))
    + """
accept accept-encoding connection content-length content-type gzip deflate keep-alive user-agent host python-httpx
application/json repeatability-request-id repeatability-client-id repeatability-first-sent lineledger http https
documents postings movements confirmations changes quantity moves decimal
model method params common.db.login get_preferences password context company language employee
unrestricted inspection blocked receipt issue transfer
"""
)
"""What requests say by themselves: names of fields, headers and methods. A process value that is called so proves nothing."""
_WORD = re.compile(rb"[a-z0-9_]{6,}")
_BETWEEN_DIGITS = re.compile(rb"(?<=\d)[.,_ ](?=\d)")


@dataclass(slots=True)
class SeenTelemetry:
    """Names and values of process values: what nothing else in a request may look like."""

    names: dict[str, None] = field(default_factory=dict)
    values: dict[str, None] = field(default_factory=dict)

    def note(self, name: str, value: str) -> None:
        """As the source wrote it. Beyond MAX_KEPT of a kind nothing is kept."""
        if len(name) >= SHORTEST_NAME and len(self.names) < MAX_KEPT:
            self.names[name] = None
        if len(value) >= SHORTEST_NAME and len(self.values) < MAX_KEPT and _distinctive(value):
            self.values[value] = None

    def canaries(self, own: str) -> list[str]:
        """Those that the ledger's own words (`own`: orders, materials, lots) and VOCABULARY do not contain."""
        plain = f"{VOCABULARY} {own}".lower()
        return [canary for canary in (*self.names, *self.values) if canary.lower() not in plain]


@dataclass(slots=True, frozen=True)
class Finding:
    """`looked_for` names and values in `requests`."""

    requests: int
    looked_for: int
    leaks: Sequence[Leak]


def _distinctive(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    return digits >= SHORTEST_NUMBER if value.replace(".", "").replace("-", "").isdigit() else value.isascii()


def look(requests: Iterable[Request], canaries: Sequence[str]) -> Finding:
    """Search every request, decoded (URL, JSON, base64, hex). Each canary counts once per request."""
    parts = [(canary, _plain(canary)) for canary in canaries[:MAX_SEARCHED]]
    whole = {_plain(canary): canary for canary in canaries}
    leaks: list[Leak] = []
    number = -1
    for number, request in enumerate(requests):
        found: dict[str, str] = {}
        for form, text in forms_of(request.text.encode()):
            plain = _BETWEEN_DIGITS.sub(b"", text.lower())
            found |= {canary: form for canary, part in parts if part in plain}
            found |= {whole[word]: form for word in set(_WORD.findall(plain)) & whole.keys()}
        leaks += [Leak(number, canary, form, request.call) for canary, form in sorted(found.items())]
    return Finding(number + 1, len(canaries), leaks)


def _plain(canary: str) -> bytes:
    return _BETWEEN_DIGITS.sub(b"", canary.lower().encode())
