"""What people do and know: scrap, rework, material used and pieces packed by hand."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.plants.floor import INSERT, SECOND, Floor, Machine, Output, Run
from tests.plants.profiles import MINUTE, Profile

Act = Literal["scrap", "rework", "rework_ok", "rework_nok", "use", "component_scrap", "stock_scrap", "made", "pallet"]
By = Literal["time", "run", "order", "order_here"]
"""How a declaration says what it is about: machine and time; the run's name; the order without a machine; the order, typed in at
the machine."""
REASONS = {"SHORT": "short_shot", "BURN": "burn_mark", "XX": "other"}


@dataclass(frozen=True, slots=True)
class Fact:
    """`at`: when it is said to have happened. `quantity`: pieces; negative: taken back."""

    act: Act
    at: int
    typed_at: int
    quantity: int
    by: By
    run: Run | None
    output: Output | None
    reason: str = ""
    order: str = ""
    operation: str = ""
    machine: str = ""
    bare: bool = False
    """Material and lot are left out: they follow from the run."""

    @property
    def happened(self) -> int:
        """The moment that decides the business date: late papers belong to their run (docs/domain.md, Declarations)."""
        if self.run is None or self.by == "order":
            return self.at
        return max(self.run.start, min(self.at, self.run.end))


def work(floor: Floor, profile: Profile, chance: Random) -> list[Fact]:
    facts: list[Fact] = []
    for machine in floor.machines:
        for run in machine.runs:
            for _ in range(chance.randrange(0, 5)):
                facts += _scrap(machine, run, profile, chance)
            if chance.random() < 0.4 and machine.counts == "gross":
                facts += _rework(machine, run, profile, chance)
            if run.operation == "10" and chance.random() < 0.6:
                facts.append(_use(machine, run, profile, chance))
            if chance.random() < 0.5:
                facts.append(_named("pallet", machine, run, chance.randrange(1, 40), "order", profile, chance))
    for _ in range(chance.randrange(3, 9)):
        at = chance.randrange(floor.begin, floor.end) // SECOND * SECOND
        made = Output("KIT-5", f"K{chance.randrange(3)}", 1)
        facts.append(Fact("made", at, at + MINUTE, chance.randrange(10, 60), "order", None, made, "", "1005", "30"))
        facts.append(
            Fact(
                "scrap", at, at + MINUTE, chance.randrange(1, 5), "order", None, made, chance.choice(list(REASONS)), "1005", "30"
            )
        )
    return facts


def _scrap(machine: Machine, run: Run, profile: Profile, chance: Random) -> list[Fact]:
    by: By = chance.choice(("time", "run", "order", "order_here"))
    single = len(run.segments[0][1]) == 1
    act: Act = "scrap"
    if machine.counts != "good" and by != "order" and chance.random() < 0.1:
        act = "stock_scrap"
    fact = _named(act, machine, run, chance.randrange(1, 9), by, profile, chance, bare=by != "order" and single)
    back = []
    if chance.random() < profile.reversals:
        back = [Fact(**{**_fields(fact), "quantity": -1, "typed_at": fact.typed_at + MINUTE})]
    return [fact, *back]


def _rework(machine: Machine, run: Run, profile: Profile, chance: Random) -> list[Fact]:
    aside = _named("rework", machine, run, chance.randrange(3, 9), "time", profile, chance)
    fields, found = _fields(aside), [aside]
    for act in ("rework_ok", "rework_nok"):
        if chance.random() < 0.7:
            found.append(Fact(**{**fields, "act": act, "quantity": 1, "typed_at": aside.typed_at + 2 * MINUTE}))
    return found


def _use(machine: Machine, run: Run, profile: Profile, chance: Random) -> Fact:
    act: Act = "component_scrap" if chance.random() < 0.3 else "use"
    by: By = "order" if act == "use" and chance.random() < 0.5 else "time"
    fact = _named(act, machine, run, chance.randrange(5, 90), by, profile, chance)
    return Fact(**{**_fields(fact), "output": Output(INSERT, f"I{chance.randrange(3)}", 1), "bare": False})


def _named(
    act: Act, machine: Machine, run: Run, quantity: int, by: By, profile: Profile, chance: Random, bare: bool = False
) -> Fact:
    at = chance.randrange(run.start + 5 * SECOND, run.end - 5 * SECOND) // SECOND * SECOND
    typed = at + chance.randrange(SECOND, profile.late_people_ms)
    last = max(
        (
            other
            for other in machine.runs
            if (other.order, other.operation) == (run.order, run.operation) and other.start <= typed
        ),
        key=lambda other: other.start,
    )
    clear = by == "run" or (by == "order_here" and last is run)  # with an order alone, its last run here is meant
    if clear and typed > run.end and chance.random() < 0.5:
        at = typed // SECOND * SECOND  # the clerk does not know when it was, only in which run
    reason = chance.choice(list(REASONS)) if act in ("scrap", "rework", "component_scrap", "stock_scrap") else ""
    output = chance.choice(run.outputs(at))
    hidden = bare and chance.random() < profile.nameless
    return Fact(act, at, typed, quantity, by, run, output, reason, run.order, run.operation, run.machine, hidden)


def _fields(fact: Fact) -> dict[str, object]:
    return {name: getattr(fact, name) for name in Fact.__slots__}
