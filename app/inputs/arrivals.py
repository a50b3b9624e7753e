"""When each record of a recorded file arrived: the newest time stated so far, however wrong a single clock may be."""

from collections import deque
from collections.abc import Generator, Iterable, Sequence

from streams.mapping import RawRecord

WINDOW = 8
"""Records behind a suspicious one that are asked whether time really went on."""
LONELY_US = 366 * 86_400_000_000
"""Nobody behind the last record of a file can be asked: beyond this it has a wrong clock."""


Arrived = tuple[RawRecord, int]
"""A record with its received_at, and the newest time stated up to here, microseconds; 0: nothing was."""


def arrivals(records: Iterable[tuple[RawRecord, int | None]], future_us: int, newest: int = 0) -> Generator[Arrived, None, None]:
    """Give each record its received_at in microseconds, in the order of the file. It never falls. `newest`: of the record before
    the first one, where a file is gone on with.

    `records`: with the time that each states itself, None where it cannot be read. A record that is more than `future_us`
    ahead of most of those behind it has a wrong clock: it counts as arriving with the one before it, so that it does not
    close shifts for everybody (intake refuses it if it says that it was received then: CLOCK_AHEAD).
    """
    ahead: deque[tuple[RawRecord, int | None]] = deque()

    def settled() -> Arrived:
        nonlocal newest
        record, stated = ahead.popleft()
        if stated is not None and newest < stated <= newest + future_us:
            record.received_at = newest = stated
            return record, newest
        jumps = stated is None or stated > newest + future_us
        behind = [at for _, at in ahead if at is not None and at >= newest] if jumps else []
        if stated is not None and stated > newest and (not jumps or _credible(stated, newest, behind, future_us)):
            newest = stated
        record.received_at = newest or min(behind, default=0)
        return record, newest

    for entry in records:
        ahead.append(entry)
        if len(ahead) > WINDOW:
            yield settled()
    while ahead:
        yield settled()


def _credible(stated: int, newest: int, behind: Sequence[int], future_us: int) -> bool:
    """Did time really go on? `behind`: what the next records state; those older than what came before say nothing."""
    if not behind:
        return not newest or stated <= newest + LONELY_US
    return 2 * sum(at + future_us < stated for at in behind) <= len(behind)
