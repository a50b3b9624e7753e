"""Whether the ERP is there at all, by evidence of the whole endpoint. Time comes in as nanoseconds of a monotonic clock.

A few documents without an answer prove nothing: an order may be locked for hours. Refused connections do, and several lanes that
one after the other got no answer are a reason to ask the ERP something that concerns no lane.
"""

from tables.delivery.scopes import ENDPOINT

SILENT_LANES = 5
"""Different lanes without an answer, and none answered between them: the ERP is asked."""
BREAKER_FAILURES = 3
"""Connections in a row that were not made, or let nobody in: the circuit opens."""
BREAKER_FIRST_NS, BREAKER_MOST_NS = 1_000_000_000, 15_000_000_000
"""Between probes: what waits for the end of an outage waits no longer than this for being told."""


class Circuit:
    """Closed, asking (one probe decides), or open: only probes start, later and later. A probe belongs to the endpoint and not to
    a posting."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._failures = 0
        self._asking = False
        self._open_ns = 0
        """Length of the present cool-down; 0: not open."""
        self.probe_from = 0

    @property
    def open(self) -> bool:
        """True: the ERP is away."""
        return self._open_ns > 0

    @property
    def closed(self) -> bool:
        """True: anything may start. Else only probes."""
        return not self._asking and not self.open

    def answered(self) -> None:
        self._silent.clear()
        self._failures, self._open_ns, self._asking = 0, 0, False

    def failed(self, now: int, scope: str, lane: str) -> None:
        """A call was not answered: the endpoint's failure, or (any other scope) one of the lane."""
        if scope == ENDPOINT:
            self._failures += 1
            if self._failures >= BREAKER_FAILURES and not self.open:
                self._cool_down(now)
        elif self.closed:
            self._silent.add(lane)
            if len(self._silent) >= SILENT_LANES:
                self._asking, self.probe_from = True, now

    def away(self, now: int) -> None:
        """A predecessor found the ERP away: a probe goes first."""
        self._open_ns, self.probe_from = BREAKER_FIRST_NS, now

    def probed(self, now: int, answered: bool) -> None:
        if answered:
            self.answered()
        else:
            self._cool_down(now)

    def _cool_down(self, now: int) -> None:
        self._asking = False
        self._open_ns = min(self._open_ns * 2, BREAKER_MOST_NS) or BREAKER_FIRST_NS
        self.probe_from = now + self._open_ns
