"""Random shop floors: readings of one counter, runs, corrections and loads, and the order in which they arrive."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from schemas.records import LotLoaded, OperatorDecision, RunChanged, RunCorrected, RunEnded, RunStarted, RunVoided
from tests.property.counter_model import Rule
from tests.property.equipment_model import Reading
from tests.unit.tables.floor_bench import S, at, on_machine, out

BEGIN = at("05:40")
"""Shortly before a business date begins."""
MODULUS = 100_000
LEFT = 5_000
"""What a counter that shows what is left begins with."""
WHEN = st.one_of(st.integers(0, 4 * 3600), st.integers(0, 8).map(lambda halves: halves * 1800)).map(
    lambda seconds: BEGIN + seconds * S
)
"""Half of them at full or half hours, so that events have one moment."""


@dataclass(slots=True)
class Shop:
    rule: Rule
    counter: dict[str, str]
    """`rule` as plant.yaml has it."""
    readings: list[Reading]
    """In the order of their truth."""
    events: list[Any]


@st.composite
def counts(draw: st.DrawFn, rule: Rule, with_seq: bool) -> list[Reading]:
    """Readings in truth order."""
    kinds = ["rise"] * 6 + [
        "same",
        "fall",
        "same",
        "unavailable",
        "zero",
        "again",
        "high",
        "high",
        "down",
        "down",
        "dip",
        "below",
    ]
    steps = draw(st.lists(st.tuples(st.sampled_from(kinds), st.integers(1, 6), st.integers(1, 700)), min_size=1, max_size=40))
    moment, count, above = BEGIN, 1000 + draw(st.integers(0, 8)) * 10, 0
    left = LEFT if rule.shows == "remaining" else 0
    found = [Reading(0, moment, abs(left - count))]
    for n, (kind, size, seconds) in enumerate(steps, 1):
        moment += seconds * S
        if kind == "fall":
            count = size * 10
        elif kind == "rise":
            count += size * 10
        elif kind in ("high", "down"):
            above = 0 if kind == "down" else above + size * 7_000
        earlier = found[max(0, n - size)].value
        shown = count + above - (size if kind == "dip" else 0)
        value = {"unavailable": None, "zero": 0, "again": earlier, "below": -size}.get(kind, abs(left - shown))
        found.append(Reading(n, moment, value))
    return [one if with_seq else one._replace(seq=-1) for one in found]


@st.composite
def run_events(draw: st.DrawFn, name: str) -> list[Any]:
    """Everything that is ever said of one run. A correction says it all again; a void comes last."""
    start, factor = draw(WHEN), st.integers(1, 3)
    outputs = [out(material, factor=draw(factor)) for material in draw(st.sampled_from([["A"], ["A"], ["A", "B"]]))]
    order = f"O{draw(st.integers(1, 2))}"
    events = [on_machine(RunStarted, start, run=name, order=order, operation="10", outputs=outputs)]
    if draw(st.booleans()):
        events.append(on_machine(RunEnded, start + draw(st.integers(0, 3600)) * S, run=name))
    if draw(st.booleans()):
        for version in range(1, draw(st.integers(1, 3))):
            begin = draw(WHEN)
            told = {"order": f"O{draw(st.integers(1, 3))}", "outputs": [out("A", factor=draw(factor))], "operation": "10"}
            finish = begin + draw(st.integers(0, 3600)) * S
            events.append(on_machine(RunCorrected, begin, run=name, version=version, started_at=begin, ended_at=finish, **told))
    else:
        for after in draw(st.lists(st.integers(1, 3000), max_size=2, unique=True)):
            events.append(on_machine(RunChanged, start + after * S, run=name, outputs=[out("A", factor=draw(factor))]))
    if draw(st.integers(0, 5)) == 0:
        events.append(on_machine(RunVoided, start, run=name, version=9))
    return events


@st.composite
def counters(draw: st.DrawFn) -> tuple[Rule, dict[str, str]]:
    """What plant.yaml says of the counter: as the model has it, and as people write it."""
    on_fall = draw(st.sampled_from(["reset", "placeholder", "rollover"]))
    shows = draw(st.sampled_from(["total", "total", "total", "remaining"]))
    rule, told = Rule(on_fall, shows=shows), {"on_fall": on_fall, "shows": shows}
    if on_fall == "rollover":
        rule, told = rule._replace(modulus=MODULUS), {**told, "modulus": str(MODULUS)}
    elif shows == "remaining" and draw(st.booleans()):
        rule, told = rule._replace(starts_at=LEFT), {**told, "starts_at": str(LEFT)}
    bounds = draw(st.sampled_from([[], [], [], ["20 / min"], ["45 / reading"], ["200 / 7 min", "55 / reading"]]))
    for text in bounds:
        amount, per = text.split(" / ")
        if per == "reading":
            rule = rule._replace(steps=int(amount))
        else:
            rule = rule._replace(rate=(int(amount), {"min": 60, "7 min": 420}[per] * S))
    if bounds:
        told["at_most"] = bounds  # type: ignore[assignment]
    share = draw(st.sampled_from([0, 0, 2]))
    if share:
        rule, told = rule._replace(dip_share=Fraction(share, 100)), {**told, "dip": f"{share} %"}
    return rule, told


@st.composite
def shops(draw: st.DrawFn, any_order: bool) -> Shop:
    rule, told = draw(counters())
    readings = draw(counts(rule, draw(st.booleans())))
    events = [event for n in range(draw(st.integers(0, 4))) for event in draw(run_events(f"R{n}"))]
    for number, moment in enumerate(draw(st.lists(WHEN, max_size=3))):
        events.append(on_machine(LotLoaded, moment, position="hopper", material="PP", lot=f"L{9 - number}"))
    if draw(st.integers(0, 3)) == 0:
        events.append(on_machine(RunEnded, draw(WHEN)))
    for one in draw(st.lists(st.sampled_from(readings), max_size=3)):
        about = {"counter": "shots", "began_at": one.at, "order": "", "account": "", "code": "", "who": "", "why": ""}
        said = draw(st.sampled_from(["accept", "discard", "discard", "retry"]))
        events.append(on_machine(OperatorDecision, draw(WHEN), decision=said, **about))
    return Shop(rule, told, readings, events)
