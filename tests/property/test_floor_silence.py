"""The equipment stage while a source that is expected to speak is silent: everybody else goes on for weeks, what happened comes
later, as a spool, in any order, and the ledger is what the slow model makes of it. Nothing of it is too late."""

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from tables.equipment.own_clock import DAY_US, STANDS_AT_MOST_US, late_clock
from tests.property.conftest import EXAMPLES
from tests.property.floor_model import Reading
from tests.property.test_equipment_steps import BEGIN, FloorMachine

STEPS = 40
MOST_AWAY_US = STANDS_AT_MOST_US - 2 * DAY_US


class SilentFloor(FloorMachine):
    """`s` speaks of the machine every 10 minutes, or is missed."""

    expect: ClassVar[dict[str, Any] | None] = {"every": "10 min", "while": "always"}

    @precondition(lambda self: any(isinstance(one, Reading) for one in self.arrived))
    @rule(days=st.sampled_from([1, 8, 15]))
    def falls_silent(self, days: int) -> None:
        """The clock of the plant goes on, minute by minute or at once: to the machine it is one tick."""
        if self.now + days * DAY_US > BEGIN + MOST_AWAY_US:
            return  # beyond that the clock goes on, and what comes then is too late
        self.fold()
        before = late_clock(self.bench.row())
        self.now += days * DAY_US
        self.bench.fold(self.bench.upstream_tick(self.now))
        self.bench.published()
        self.agrees()
        row = self.bench.row()
        assert row.sources["s"].silent and late_clock(row) <= max(before, row.sources["s"].label), "its own clock stands"

    @precondition(lambda self: self.underway)
    @rule(order=st.randoms(use_true_random=False))
    def spool(self, order: Any) -> None:
        """All that was underway comes at once, in any order."""
        order.shuffle(self.underway)
        while self.underway:
            self._arrives(self.underway.pop())
        self.tick(1)
        assert not self.bench.row().sources["s"].silent


def test_silence() -> None:
    run_state_machine_as_test(
        SilentFloor, settings=settings(max_examples=EXAMPLES // 5, stateful_step_count=STEPS, database=None)
    )
