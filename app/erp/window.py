"""Which requests an ERP may have logged of late, and when at the latest. Time comes in as nanoseconds of a monotonic clock.

Between the stamp of a request and its line in the ERP's log a process may stall, here or there. So it counts again when its bytes
are gone, and when it is answered; until its bytes are gone it may be logged at any moment.
"""

HANGING_NS = 1_000_000_000
"""What is not answered for longer may never be: it holds up nobody any more, unless it is answered after all."""
LEARN_NS, LEARN_ANSWERS = 10_000_000_000, 8
"""After so long, and so many answers, the quickest of them is what an ERP takes at least."""


class Departure:
    """One request. Let in it counts from then on; what passes the doorway `leaves`, is `gone`, and is `over`."""

    __slots__ = ("_window", "at", "document", "going", "left", "open", "sent")

    def __init__(self, window: "Window", now: int) -> None:
        self._window = window
        self.at = self.left = self.sent = now
        """From when it counts, unless it is open; when it passed the doorway; when its bytes were gone."""
        self.open = self.going = self.document = False
        """Open: not answered. Going: its bytes may not be gone."""

    def leaves(self, now: int, document: bool) -> None:
        """It passes the doorway now."""
        self.at = self.left = self.sent = now
        self.open = self.going = True
        self.document = document
        self._window.enter(self)

    def gone(self, now: int) -> None:
        self.at = self.sent = now
        self.going = False

    def over(self, now: int, answered: bool) -> None:
        """Answered, or given up."""
        self._window.over(self, now, answered)


class Window:
    """`count` requests, and the next one `length_ns` after the first. An ERP may log each `margin_ns` later than it counts."""

    def __init__(self, count: int, length_ns: int, margin_ns: int) -> None:
        self.count, self.length_ns, self._margin_ns = count, length_ns, margin_ns
        self._departures: list[Departure] = []
        self._least = {document: LeastTime(margin_ns) for document in (False, True)}

    def let_in(self, now: int) -> Departure:
        departure = Departure(self, now)
        self.enter(departure)
        self._departures = [one for one in self._departures if one.open or one.at + self.length_ns > now]
        return departure

    def enter(self, departure: Departure) -> None:
        if departure not in self._departures:
            self._departures.append(departure)

    def free_from(self, now: int, but: Departure | None = None) -> int:
        """From when one more may leave, as far as is known now. `but`: one that does not count."""
        latest = sorted(self._latest(one, now) for one in self._departures if one is not but)
        return latest[-self.count] + self.length_ns if len(latest) >= self.count else 0

    def over(self, departure: Departure, now: int, answered: bool) -> None:
        if answered:
            self._least[departure.document].took(now, now - departure.sent)
            for one in self._departures:
                # An ERP that has answered what left later, by more than two can change places, has logged it.
                if one.open and not one.going and one.sent + self._margin_ns <= departure.left:
                    self._settle(one, now)
        if departure.open:
            self._settle(departure, now)

    def _settle(self, departure: Departure, logged: int) -> None:
        """It is in the ERP's log by then."""
        departure.at = max(departure.at, logged - self._least[departure.document].ns)
        departure.open = departure.going = False

    def _latest(self, one: Departure, now: int) -> int:
        if not one.open:
            return one.at
        if one.going:
            return now
        return max(one.sent, min(now - self._least[one.document].ns, one.sent + HANGING_NS))


class LeastTime:
    """Between a request and its answer. What takes longer may have been logged later by as much."""

    def __init__(self, margin_ns: int) -> None:
        """`margin_ns`: no less, an ERP may log so late anyway."""
        self._margin_ns = self.ns = margin_ns
        self._answers = self._quickest_ns = self._begun = 0

    def took(self, now: int, taken_ns: int) -> None:
        if not self._answers:
            self._begun, self._quickest_ns = now, taken_ns
        self._answers += 1
        self._quickest_ns = min(self._quickest_ns, taken_ns)
        self.ns = max(self._margin_ns, min(self.ns, taken_ns))
        if self._answers >= LEARN_ANSWERS and now - self._begun >= LEARN_NS:
            self.ns, self._answers = max(self._margin_ns, self._quickest_ns), 0
