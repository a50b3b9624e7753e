"""What assembly and packing stations send (source `stations`): another maker, other names, times as epoch milliseconds."""

from collections.abc import Iterator
from random import Random

from app.demo.floor import Machine
from app.demo.lines import Line, flushed
from app.demo.press_messages import poll_times, states_of

COUNT_EVERY_MS = 13_000
_STATES = {"idle": "IDLE", "running": "AUTO", "setup": "PREP", "down": "STOP"}


class Station:
    """The messages of one station. `thin`: how much longer than usual it waits between polls."""

    def __init__(self, machine: Machine, seed: int, thin: float) -> None:
        self._machine = machine
        self._every_ms = max(1, round(COUNT_EVERY_MS * thin))
        self._phase = Random(f"{seed}/messages/{machine.name}").randrange(0, 4_000)  # noqa: S311  simulated
        self._sent = 0

    def lines(self) -> Iterator[Line]:
        machine, counted = self._machine, self._machine.counted()
        event = "good" if machine.counter == "good" else "count"
        for seq, at in enumerate(poll_times(machine, self._every_ms, self._phase), 1):
            yield self._message(at, event, f'"n":{machine.display(at, counted)},"seq":{seq}', "reading")
        for at, state, why in states_of(machine):
            reason = f',"why":"{why}"' if why else ""
            yield self._message(at, "status", f'"s":"{_STATES[state]}"{reason}')
        for run in machine.runs:
            output = run.step.outputs[0]
            order = f'"po":"{run.order.number}","op":"{run.step.operation}"'
            body = f'"job":"{run.id}",{order},"part":"{output.material}","lot":"{output.lot}"'
            yield self._message(run.start, "open", body)
            yield self._message(run.end, "close", f'"job":"{run.id}"')

    def _message(self, at: int, event: str, body: str, tag: str = "") -> Line:
        self._sent += 1
        received = flushed(at, self._phase)
        text = (
            f'{{"station":"{self._machine.name}","id":"{self._machine.name}#{self._sent}","t":{at},"r":{received},'
            f'"ev":"{event}",{body}}}'
        )
        return Line(received, at, self._sent, tag or event, text)
