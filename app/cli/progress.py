"""The progress display of a run: one line that is rewritten on a terminal, a few lines elsewhere."""

import sys
import time
from datetime import UTC, datetime

TERMINAL_SECONDS = 0.2
LOG_SECONDS = 5.0


class ProgressLine:
    """Called with (phase, records fed, slowest clock in microseconds). Writes to stderr; stdout is for reports."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._phase = ""
        self._began = time.monotonic()

    def __call__(self, phase: str, records: int, clock: int) -> None:
        now = time.monotonic()
        pause = TERMINAL_SECONDS if self._terminal else LOG_SECONDS
        if self._quiet or (phase == self._phase and now - self._last < pause):
            return
        self._phase, self._last = phase, now
        at = datetime.fromtimestamp(clock / 1e6, UTC).strftime("%Y-%m-%d %H:%M") if clock else "-"
        seconds = now - self._began
        rate = f"{records / seconds:,.0f}/s" if records and seconds else "-"
        line = f"{phase:<9} {records:>10,} raw records   {rate:>9}   plant clock {at} UTC   {seconds:5.1f} s"
        sys.stderr.write(f"\r{line}\x1b[K" if self._terminal else line + "\n")
        sys.stderr.flush()

    def pids(self, pids: dict[str, list[int]]) -> None:
        if not self._quiet:
            listed = "   ".join(f"{stage} {','.join(map(str, found))}" for stage, found in pids.items())
            sys.stderr.write(f"workers   {listed}\n")

    def done(self) -> None:
        if self._terminal and not self._quiet:
            sys.stderr.write("\r\x1b[K")
