"""How time enters the log: labels and ticks of one raw partition, from the append times of its records
(docs/architecture.md, The clock is in the log)."""

from collections.abc import Callable, Iterable, MutableMapping

from streams.intake import connections
from tables.plant.calendar import Calendar

TICK, LABEL, FINAL, EPOCH, CONFIGURED, APPEND_AHEAD = "tick", "label", "final", "log_epoch", "configured", "append_ahead"
"""Marks of a position row of intake: the last tick, the end of the open interval, the end of recorded input, the log epoch that
the configuration was said in and the time that it was given, how many records had an append time that cannot be believed."""
NO_FIGURES = frozenset({TICK, LABEL, FINAL, EPOCH, CONFIGURED, APPEND_AHEAD})
Marks = MutableMapping[str, int]


class IntakeClock:
    """All times in microseconds. An interval is (previous label, label]."""

    def __init__(self, calendar: Calendar, step_us: int, future_us: int, host: Callable[[], int] | None) -> None:
        """`host`: the clock of this host; None: recorded input, whose times are its own. It is asked only when an append time
        jumps, and what follows from it is in the log: the label of the record."""
        self._calendar, self._step_us, self._future_us, self._host = calendar, step_us, future_us, host
        self._labels: dict[int, int] = {}

    def arrived(self, partition: int, marks: Marks, stated: int) -> int:
        """When a record arrived: its append time; or, if that is further ahead than `clock.future` of what this host and the
        other partitions say, the label in force (0: the host's time). So one wrong broker closes no shift."""
        label = marks.get(LABEL, 0)
        if self._host is None or stated <= label + self._future_us:
            return stated
        host = self._host()
        others = max((at for other, at in self._labels.items() if other != partition), default=0)
        if stated <= max(host, others) + self._future_us:
            return stated
        marks[APPEND_AHEAD] = marks.get(APPEND_AHEAD, 0) + 1
        return label or host

    @staticmethod
    def is_open(marks: Marks, received_at: int) -> bool:
        """Does a record fall into the interval that is open, or is it older? Then `label_for` has none."""
        label = marks.get(LABEL, 0)
        return received_at <= label and marks.get(TICK, 0) < label

    def label_for(self, marks: Marks, received_at: int) -> int | None:
        """The end of the interval to open for a record; None: it falls into the open one, or is older: never back. What comes
        after its tick (the broker's clock is behind the host's) belongs to the interval that is next."""
        at = max(received_at, marks.get(TICK, 0) + 1)
        if at <= marks.get(LABEL, 0):
            return None
        return min(-(-at // self._step_us) * self._step_us, self._calendar.next_cut(at - 1))

    def idle_label(self, marks: Marks, now: int) -> int | None:
        """The label to open without a record; None: not yet."""
        reached = now // self._step_us * self._step_us
        return None if reached <= max(marks.get(LABEL, 0), marks.get(TICK, 0)) else reached

    def due(self, marks: Marks, label: int) -> list[int]:
        """Ticks to send before `label` is opened: the interval that is over, and each cut on the way."""
        open_label = marks.get(LABEL, 0)
        return [open_label, *self._calendar.cuts_between(open_label, label - 1)] if open_label else []

    def opened(self, partition: int, marks: Marks, label: int) -> None:
        marks[LABEL] = self._labels[partition] = label

    def end(self, marks: Marks) -> list[int]:
        """Ticks that close recorded input: the first cut at or after the last record is the final one."""
        label = marks.get(LABEL, 0)
        if not label:
            return []
        cut = self._calendar.next_cut(label - 1)
        return [label, cut] if label < cut else [cut]

    def lower(self, partition: int, marks: Marks, at: int) -> None:
        """A repair (streams/repairs.py): what is labelled and ticked from now on begins at `at` again."""
        for name in (TICK, LABEL, CONFIGURED):
            marks[name] = min(marks.get(name, 0), at)
        self._labels[partition] = marks[LABEL]

    def left(self, partition: int) -> None:
        self._labels.pop(partition, None)


def counted(marks: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The report's figures among the marks of a position row."""
    return {name: value for name, value in marks if name not in NO_FIGURES and connections.MARK not in name}
