"""The progress display of a run: one line that is rewritten on a terminal, a few lines elsewhere."""

import sys
import time
from datetime import UTC, datetime
from typing import Protocol

TERMINAL_SECONDS = 0.2
LOG_SECONDS = 5.0
KNOWN_SECONDS = 2.0
"""Of reading: before it nothing is said of the time that is left."""


class BytesRead(Protocol):
    """What is being read, in bytes of the files."""

    @property
    def bytes_read(self) -> int: ...

    @property
    def bytes_total(self) -> int: ...


class ProgressLine:
    """Called with (phase, records fed, slowest clock in microseconds). Writes to stderr; stdout is for reports."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._phase = ""
        self._began = time.monotonic()
        self._read: BytesRead | None = None
        self._since: tuple[float, int] | None = None
        """When reading was first seen, and the bytes that were read then."""
        self.records = 0
        """As told last."""
        self._known = 0
        """Records of before, where a run is gone on with."""

    def reading(self, read: BytesRead, known: int) -> None:
        """What the records come from: time is left as long as it has bytes. `known`: records that an earlier process folded."""
        self._read, self._known = read, known

    def __call__(self, phase: str, records: int, clock: int) -> None:
        now, self.records = time.monotonic(), records
        if self._since is None and phase == "running" and self._read is not None:
            self._since = now, self._read.bytes_read
        pause = TERMINAL_SECONDS if self._terminal else LOG_SECONDS
        if self._quiet or (phase == self._phase and now - self._last < pause):
            return
        self._phase, self._last = phase, now
        at = datetime.fromtimestamp(clock / 1e6, UTC).strftime("%Y-%m-%d %H:%M") if clock else "-"
        seconds = now - self._began
        new = records - self._known
        rate = f"{new / seconds:,.0f}/s" if new > 0 and seconds else "-"
        line = f"{phase:<9} {records:>10,} raw records   {rate:>9}   plant clock {at} UTC   {seconds:5.1f} s{self._left(now)}"
        sys.stderr.write(f"\r{line}\x1b[K" if self._terminal else line + "\n")
        sys.stderr.flush()

    def _left(self, now: float) -> str:
        """How much is read, and how long the rest takes at the pace so far."""
        if self._read is None or self._since is None or not self._read.bytes_total:
            return ""
        (since, before), read, total = self._since, self._read.bytes_read, self._read.bytes_total
        told = f"   {100 * read // total:3} % read"
        if now - since < KNOWN_SECONDS or read <= before or read >= total:
            return told
        return f"{told}, {_duration((total - read) * (now - since) / (read - before))} left"

    def pids(self, pids: dict[str, list[int]]) -> None:
        if not self._quiet:
            listed = "   ".join(f"{stage} {','.join(map(str, found))}" for stage, found in pids.items())
            sys.stderr.write(f"workers   {listed}\n")

    def done(self) -> None:
        if self._terminal and not self._quiet:
            sys.stderr.write("\r\x1b[K")


def _duration(seconds: float) -> str:
    """`42 s`, `7 min`, `3 h 05 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
