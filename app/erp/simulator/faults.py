"""How the simulator misbehaves: by probability (seeded, per posting) and by script (the next N posts of order X)."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

Operation = Literal["post", "find", "movements"]
Action = Literal[
    "timeout_before",  # not booked, no answer
    "timeout_after",  # booked, no answer
    "late_commit",  # no answer, booked delay_ms later
    "disconnect_before",  # not booked, connection dropped
    "disconnect_after",  # booked, connection dropped
    "error_after",  # booked, answered 500
    "unavailable",  # not booked, 503 with Retry-After
    "throttled",  # not booked, 429 with Retry-After
    "throttled_silently",  # not booked, 429 that names no time
    "locked",  # not booked, 423 with `code`; without one, of the order or material that the rule names
    "cut_answer",  # booked, connection reset in the middle of the answer
    "slow_answer",  # booked, the answer's body trickles over delay_ms
    "error_in_answer",  # not booked, 200 with an error inside
    "wrong_document",  # booked, answered with a document number that is not its own
    "second_document",  # booked, and once more under a second document
    "reject",  # refused for good, 422 with `code`
]
Probability = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
MAX_RULES = 1000
MAX_REMEMBERED = 100_000
"""Postings whose attempts are counted; beyond it the oldest start again at the first attempt."""


class Latency(Struct, frozen=True, forbid_unknown_fields=True):
    """By `percentiles`; else uniform between low and high. Plus a tail: with `tail_probability` it takes `tail_ms`."""

    low_ms: Milliseconds = 0
    high_ms: Milliseconds = 0
    tail_probability: Probability = 0.0
    tail_ms: Milliseconds = 0
    percentiles: Annotated[list[tuple[Probability, Milliseconds]], Meta(max_length=100)] = []
    """Share of the calls, ascending -> milliseconds that they take at most; between two of them evenly."""


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """So many calls in each span from when the settings arrive; the rest: 429 until it is over."""

    calls: Annotated[int, Meta(ge=1)]
    per_ms: Annotated[int, Meta(ge=1, le=86_400_000)] = 86_400_000


class Outage(Struct, frozen=True, forbid_unknown_fields=True):
    """From `after_ms` after the settings arrive, for `for_ms`, every call is answered 503 or dropped."""

    after_ms: Milliseconds
    for_ms: Milliseconds
    action: Literal["unavailable", "disconnect_before"] = "unavailable"


class FaultRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to the next `times` (0: all) calls that match. An empty field matches everything."""

    action: Action
    on: Operation = "post"
    order: str = ""
    material: str = ""
    kind: str = ""
    posting_id: str = ""
    times: Annotated[int, Meta(ge=0)] = 0
    code: str = ""
    delay_ms: Milliseconds = 0


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /control/faults, replaces all settings. Rules come before probabilities, in their order."""

    seed: int = 0
    latency: Latency = Latency()
    calls_per_second: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    """0: unlimited. Beyond it: 429 with Retry-After."""
    burst: Annotated[int, Meta(ge=1, le=100_000)] = 1
    quota: Quota | None = None
    visible_after_ms: Milliseconds = 0
    """How long a posting that is booked is not found yet."""
    probabilities: dict[Action, Probability] = {}
    """Of posts."""
    late_commit_ms: Milliseconds = 1000
    retry_after_ms: Milliseconds = 1000
    hang_ms: Milliseconds = 30_000
    """How long a call without answer keeps its connection."""
    outages: Annotated[list[Outage], Meta(max_length=100)] = []
    rules: Annotated[list[FaultRule], Meta(max_length=MAX_RULES)] = []


@dataclass(slots=True, frozen=True)
class Subject:
    """What a call is about; a document has one per line."""

    order: str = ""
    material: str = ""
    kind: str = ""
    posting_id: str = ""


@dataclass(slots=True, frozen=True)
class Misbehaviour:
    action: Action
    code: str
    delay_ms: int


class Misbehaving:
    """Decides per call. Instants are monotonic seconds given by the caller; equal seeds and calls decide equally."""

    def __init__(self, faults: Faults, now: float) -> None:
        self._faults = faults
        self._since = now
        self._rules = [[rule, rule.times] for rule in faults.rules]
        self._attempts: OrderedDict[str, int] = OrderedDict()
        self._tokens, self._refilled = float(faults.burst), now
        self._used, self._span = 0, 0
        self._booked: OrderedDict[str, float] = OrderedDict()

    @property
    def faults(self) -> Faults:
        return self._faults

    def add(self, rule: FaultRule) -> bool:
        """Append a rule; False when there are too many."""
        if len(self._rules) >= MAX_RULES:
            return False
        self._rules.append([rule, rule.times])
        return True

    def outage(self, now: float) -> Misbehaviour | None:
        elapsed_ms = (now - self._since) * 1000
        for outage in self._faults.outages:
            if outage.after_ms <= elapsed_ms < outage.after_ms + outage.for_ms:
                return Misbehaviour(outage.action, "ERP_BUSY", 0)
        return None

    def throttled_ms(self, now: float) -> int:
        """0: go ahead. Otherwise too early by this many milliseconds."""
        return self._over_quota_ms(now) or self._too_fast_ms(now)

    def _over_quota_ms(self, now: float) -> int:
        quota = self._faults.quota
        if quota is None:
            return 0
        elapsed_ms = int((now - self._since) * 1000)
        if elapsed_ms // quota.per_ms != self._span:
            self._used, self._span = 0, elapsed_ms // quota.per_ms
        if self._used < quota.calls:
            self._used += 1
            return 0
        return (self._span + 1) * quota.per_ms - elapsed_ms

    def booked(self, posting_ids: Iterable[str], now: float) -> None:
        """From now on they are there, and found later."""
        if self._faults.visible_after_ms:
            self._booked.update(dict.fromkeys(posting_ids, now))
            while len(self._booked) > MAX_REMEMBERED:
                self._booked.popitem(last=False)

    def hides(self, posting_id: str, now: float) -> bool:
        since = self._booked.get(posting_id)
        return since is not None and (now - since) * 1000 < self._faults.visible_after_ms

    def _too_fast_ms(self, now: float) -> int:
        rate = self._faults.calls_per_second
        if rate == 0:
            return 0
        self._tokens = min(self._faults.burst, self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return int((1 - self._tokens) / rate * 1000) + 1

    def latency_ms(self, call: int) -> float:
        """Of the n-th call."""
        latency = self._faults.latency
        if self._chance("tail", str(call)) < latency.tail_probability:
            return latency.tail_ms
        if latency.percentiles:
            return _at(latency.percentiles, self._chance("latency", str(call)))
        return latency.low_ms + self._chance("latency", str(call)) * (latency.high_ms - latency.low_ms)

    def of(self, operation: Operation, subjects: list[Subject]) -> Misbehaviour | None:
        """What happens to this call beyond outage, throttling and latency."""
        for entry in self._rules:
            rule, left = entry
            assert isinstance(rule, FaultRule)
            assert isinstance(left, int)
            if rule.on != operation or not any(_matches(rule, subject) for subject in subjects):
                continue
            if rule.times:
                entry[1] = left - 1
                if left == 1:
                    self._rules.remove(entry)
            return Misbehaviour(rule.action, rule.code or _lock_of(rule), rule.delay_ms or self._faults.late_commit_ms)
        if operation != "post" or not self._faults.probabilities:
            return None
        first = subjects[0].posting_id
        chance = self._chance(first, str(self._attempt(first)))
        for action, probability in self._faults.probabilities.items():
            if chance < probability:
                return Misbehaviour(action, "", self._faults.late_commit_ms)
            chance -= probability
        return None

    def _attempt(self, posting_id: str) -> int:
        attempt = self._attempts.pop(posting_id, 0) + 1
        self._attempts[posting_id] = attempt
        if len(self._attempts) > MAX_REMEMBERED:
            self._attempts.popitem(last=False)
        return attempt

    def _chance(self, *of: str) -> float:
        """0 <= chance < 1 from the seed and the call, not from who came first: concurrency changes no decision."""
        digest = hashlib.sha256("/".join((str(self._faults.seed), *of)).encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48


def _at(percentiles: list[tuple[float, int]], chance: float) -> float:
    """Milliseconds of the call that so large a share of the calls is faster than."""
    before, low = 0.0, 0
    for share, high in percentiles:
        if chance < share:
            return low + (chance - before) / (share - before) * (high - low)
        before, low = share, high
    return low


def _lock_of(rule: FaultRule) -> str:
    if rule.action != "locked":
        return ""
    return "MATERIAL_LOCKED" if rule.material else "ORDER_LOCKED" if rule.order else ""


def _matches(rule: FaultRule, subject: Subject) -> bool:
    return (
        rule.order in ("", subject.order)
        and rule.material in ("", subject.material)
        and rule.kind in ("", subject.kind)
        and rule.posting_id in ("", subject.posting_id)
    )
