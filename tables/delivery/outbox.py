"""What delivery hands to its executor once a step is committed. The content stays in the posting's row."""

from dataclasses import dataclass, field


@dataclass(slots=True, frozen=True)
class Dispatch:
    """Send the posting: attempt number `attempt`. `resend`: an earlier attempt may have been booked."""

    posting_id: str
    attempt: int
    resend: bool = False
    others: tuple[tuple[str, int], ...] = ()
    """(posting id, attempt) of the other lines of the same document."""
    suspect: bool = field(default=False, compare=False)
    """It may find no answer or a lock again: it goes with the share of such calls."""
    proven: bool = field(default=False, compare=False)
    """Its lane was answered the last time."""

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        return (self.posting_id, self.attempt), *self.others


@dataclass(slots=True, frozen=True)
class ReadBack:
    """Ask the ERP for the posting until it is found, or until no attempt so far can be booked any more."""

    posting_id: str
    attempt: int


@dataclass(slots=True, frozen=True)
class Timer:
    """Send TimerFired(posting_id, attempt, `retry`) after `delay_us` of monotonic time."""

    posting_id: str
    attempt: int
    delay_us: int


@dataclass(slots=True, frozen=True)
class HeldUntil:
    """The ERP asked, before this process had the endpoint, that nobody calls before `until` (UTC microseconds)."""

    until: int


@dataclass(slots=True, frozen=True)
class ErpAway:
    """The ERP did not answer, before this process had the endpoint, from `since` on (UTC microseconds)."""

    since: int


@dataclass(slots=True, frozen=True)
class Paused:
    """A person said whether calls may leave at all. `paused` False: they may."""

    paused: bool


@dataclass(slots=True, frozen=True)
class Granted:
    """What the executor `owner` got for its question `number`: to be used until then (UTC microseconds), and nobody else's."""

    owner: str
    number: int
    until: int
    calls: int
    processing_us: int
    calls_again: int = 0
    """It got less than it asked for, and there is no more before (UTC microseconds); 0: it got everything."""
    processing_again: int = 0


Entry = Dispatch | ReadBack | Timer | HeldUntil | ErpAway | Paused | Granted
