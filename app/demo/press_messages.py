"""What presses send: counter and meter readings, states, job and hopper events, process values (source `presses`)."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from app.demo.floor import Machine, Run
from app.demo.lines import Line, flushed
from app.demo.plan import PlannedOutput
from app.demo.shift import END_MS, MINUTE_MS, START_MS, at_minute, iso

CANARY_NAME = "mould_wear_zx81"
"""A process value that must never reach an ERP, neither its name nor its values of twelve digits."""
SHOTS_EVERY_MS, METER_EVERY_MS, PROCESS_EVERY_MS = 8_500, 40_000, 25_000
CANARY_EVERY_MS = 40 * MINUTE_MS
STATES = {"idle": "0", "running": "1", "setup": "2", "down": "3"}
LAST_POLL_MS = END_MS - 10_000
MARGIN_MS = 1_000
_LATE_JOBS = {"IMM-04": (2, 6), "IMM-09": (1, 4), "STP-01": (1, 7)}
"""Machine -> (number of the run, minutes): its start is told that much too late."""
DELAYED_SHARE = 0.004


def poll_times(machine: Machine, every_ms: int, phase: int) -> list[int]:
    """Every so often, and around each instant that separates accounts: a sample never straddles one. At least one poll
    precedes the first run, so that there is a baseline."""
    grid = set(range(START_MS + phase, LAST_POLL_MS, every_ms))
    grid.update(mark - MARGIN_MS for mark in machine.marks())
    for run in machine.runs:
        grid.update((run.start + MARGIN_MS, run.end - MARGIN_MS))
    if machine.trial:
        grid.update((machine.trial[0] - MARGIN_MS, machine.trial[-1] + MARGIN_MS))
    return sorted(grid)


def meter_values(machine: Machine, times: list[int]) -> list[int]:
    """Grams that the resin meter shows."""
    shots = [at for run in machine.runs for at in run.shots]
    sums = [0, *accumulate(weight for run in machine.runs for weight in run.grams)]
    values = []
    for at in times:
        used = sums[bisect_right(shots, at)]
        passed = [reset for reset in machine.meter_resets if reset <= at]
        values.append(used - sums[bisect_right(shots, passed[-1])] if passed else machine.meter_base_g + used)
    return values


class Press:
    """The messages of one press. `thin`: how much longer than usual it waits between polls."""

    def __init__(self, machine: Machine, seed: int, thin: float) -> None:
        self._machine = machine
        self._chance = Random(f"{seed}/messages/{machine.name}")  # noqa: S311  simulated, no secret
        self._thin = thin
        self._phase = self._chance.randrange(0, 4_000)
        self._seq: dict[str, int] = {}

    def lines(self) -> Iterator[Line]:
        yield from self._readings()
        if self._machine.metered:
            yield from self._meter()
        yield from self._states()
        for number, run in enumerate(self._machine.runs, 1):
            yield from self._job(run, number)
        yield from self._process_values()

    def _message(self, at: int, kind: str, body: str, tag: str = "", delay: int = 0) -> Line:
        seq = self._seq[kind] = self._seq.get(kind, 0) + 1
        received = flushed(at + delay, self._phase)
        text = (
            f'{{"machine":"{self._machine.name}","hdr":{{"seq":{seq},"ts":"{iso(at)}","rx":"{iso(received)}"}},'
            f'"msg":"{self._machine.name}.{kind}.{seq}","type":"{kind}",{body}}}'
        )
        return Line(received, at, seq, tag or kind, text)

    def _delay(self, at: int) -> int:
        """Some readings are buffered on the way and come minutes late, though never after the shift."""
        if self._chance.random() >= DELAYED_SHARE or at > END_MS - 8 * MINUTE_MS:
            return 0
        return self._chance.randrange(20_000, 4 * MINUTE_MS)

    def _every(self, every_ms: int) -> int:
        return max(1, round(every_ms * self._thin))

    def _readings(self) -> Iterator[Line]:
        machine, counted = self._machine, self._machine.counted()
        zeros = {at for zero in machine.zeros for at in (zero, zero + 6_000)}
        polls = poll_times(machine, self._every(SHOTS_EVERY_MS), self._phase)
        polls = [at for at in polls if not any(zero - 1 <= at <= zero + 12_000 for zero in machine.zeros)]
        for at in sorted([*polls, *zeros]):
            if at in zeros:
                yield self._message(at, "cycle", '"data":{"shots":0}', "zero")
                continue
            delay = self._delay(at)
            body = f'"data":{{"shots":{machine.display(at, counted)}}}'
            yield self._message(at, "cycle", body, "delayed" if delay else "reading", delay)

    def _meter(self) -> Iterator[Line]:
        times = poll_times(self._machine, self._every(METER_EVERY_MS), self._phase)
        for at, grams in zip(times, meter_values(self._machine, times), strict=True):
            delay = self._delay(at)
            body = f'"data":{{"kg":{grams // 1000}.{grams % 1000:03d}}}'
            yield self._message(at, "meter", body, "delayed" if delay else "reading", delay)

    def _states(self) -> Iterator[Line]:
        for at, state, why in states_of(self._machine):
            reason = f',"why":"{why}"' if why else ""
            yield self._message(at, "state", f'"data":{{"st":"{STATES[state]}"{reason}}}')

    def _job(self, run: Run, number: int) -> Iterator[Line]:
        late_number, minutes = _LATE_JOBS.get(self._machine.name, (0, 0))
        late = late_number == number
        order, operation = run.order.number, run.step.operation
        body = f'"job":"{run.id}","po":"{order}","op":"{operation}","nests":{nests(run.step.outputs)}'
        yield self._message(run.start, "job_start", body, "late_job" if late else "", minutes * MINUTE_MS if late else 0)
        for load in run.step.loads:
            yield self._hopper(run.start + 20_000, load.position, load.material, load.lot)
        if all(load.position != "masterbatch" for load in run.step.loads) and number > 1 and self._machine.metered:
            yield self._message(run.start + 20_000, "hopper_out", '"pos":"masterbatch"')
        for minute, load in run.step.changeovers:
            yield self._hopper(at_minute(minute), load.position, load.material, load.lot)
        for minute, outputs in run.step.changes:
            yield self._message(at_minute(minute), "cavity_off", f'"job":"{run.id}","nests":{nests(outputs)}')
        yield self._message(run.end, "job_end", f'"job":"{run.id}"')

    def _hopper(self, at: int, position: str, material: str, lot: str) -> Line:
        return self._message(at, "hopper", f'"pos":"{position}","material":"{material}","batch":"{lot}"')

    def _process_values(self) -> Iterator[Line]:
        chance = self._chance
        for at in range(START_MS + self._phase, LAST_POLL_MS, self._every(PROCESS_EVERY_MS)):
            yield self._message(at, "temperature", f'"v":"{chance.randrange(2_150, 2_450) / 10}"', "process_value")
            yield self._message(at, "pressure", f'"v":"{chance.randrange(700, 1_400)}"', "process_value")
        for at in range(START_MS + 9 * MINUTE_MS, LAST_POLL_MS, CANARY_EVERY_MS):
            value = chance.randrange(10**11, 10**12)
            yield self._message(at, CANARY_NAME, f'"v":"{value}"', f"canary:{value}")


def states_of(machine: Machine) -> list[tuple[int, str, str]]:
    """(at, state, reason): every change, from the beginning of the shift on."""
    found = [(START_MS + 500, "idle", "")]
    for run in machine.runs:
        found += [(run.start, "setup", ""), (run.running_from, "running", "")]
        for start, end, why in run.stops:
            found += [(start, "down", why), (end, "running", "")]
        found.append((run.end, "idle", ""))
    return found


def nests(outputs: tuple[PlannedOutput, ...]) -> str:
    fields = [
        {"part": output.material, "out_lot": output.lot, "open_cavities": output.factor, "role": output.role}
        for output in outputs
    ]
    return json.dumps(fields, separators=(",", ":"))
