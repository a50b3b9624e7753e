"""A signal that arrives while a C library is at work comes out as another error, or not at all."""

import contextlib
import os
import signal
from collections.abc import Callable

import pytest

from app.cli.stopping import SIGNALS, stoppable


def turned_by_a_library(signum: int) -> None:
    try:
        os.kill(os.getpid(), signum)
    except SystemExit as told:
        raise SystemError("returned a result with an exception set") from told


def ends_with(run: Callable[[], None]) -> object:
    with pytest.raises(SystemExit) as ended:
        run()
    return ended.value.code


@pytest.mark.parametrize("signum", SIGNALS)
def test_an_error_after_the_signal_is_the_stop(signum: signal.Signals) -> None:
    with pytest.raises(SystemExit) as ended, stoppable():
        turned_by_a_library(signum)
    assert ended.value.code == 128 + signum


def test_a_dropped_signal_is_found_by_the_next_look() -> None:
    seen: list[int] = []

    def run() -> None:
        with stoppable() as stop:
            progress = stop.between(lambda phase, records, clock: seen.append(records))
            progress("running", 1, 0)
            with contextlib.suppress(SystemExit):  # as a callback of librdkafka does
                os.kill(os.getpid(), signal.SIGTERM)
            progress("running", 2, 0)

    assert (ends_with(run), seen) == (143, [1])


def test_an_error_without_a_signal_stays_that_error() -> None:
    with pytest.raises(SystemError, match="another"), stoppable():
        raise SystemError("another")


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(signum) for signum in SIGNALS]
    with pytest.raises(SystemExit), stoppable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(signum) for signum in SIGNALS] == before


def test_a_second_signal_does_not_cut_the_closing_short() -> None:
    closed = []

    def run() -> None:
        with stoppable():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                closed.append(True)

    assert (ends_with(run), closed) == (143, [True])


def test_a_signal_can_wait_for_the_next_look() -> None:
    done: list[str] = []

    def run() -> None:
        with stoppable() as stop:
            look = stop.between(lambda phase, records, clock: done.append(phase))
            with stop.waiting():
                look("running", 1, 0)
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("the batch in work is done")
                look("running", 2, 0)

    assert (ends_with(run), done) == (143, ["running", "the batch in work is done"])
