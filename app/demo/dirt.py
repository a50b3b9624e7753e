"""What goes wrong between a machine and its log: repeated, contradicting, damaged and unknown records. All of it counted."""

from collections import Counter
from random import Random

from app.demo.lines import FLUSH_MS, Line
from app.demo.shift import END_MS, MINUTE_MS, iso, wall
from app.demo.truth import Planted

DUPLICATES_AT_ONCE, DUPLICATES_LATER, CONFLICTS, EVENTS_AGAIN = 160, 90, 6, 7
UNKNOWN, DAMAGED, STRANGERS, IMPOSSIBLE, STRANGE_UNITS = 12, 5, 2, 1, 3
UNKNOWN_AT_STATIONS = 3


def soil(lines: dict[str, list[Line]], seed: int) -> Planted:
    """Add dirt to the lines of each source (in place) and say what was added. Quantities do not change by it."""
    chance = Random(f"{seed}/dirt")  # noqa: S311  simulated, no secret
    planted, refused = Planted(), Counter[tuple[str, str]]()
    presses, stations, terminals = lines["presses"], lines["stations"], lines["terminals"]
    readings = [line for line in presses if line.tag == "reading" and line.received < END_MS - 10 * MINUTE_MS]
    process = [line for line in presses if line.tag == "process_value"]
    planted.delayed_readings = sum(line.tag == "delayed" for line in presses)
    planted.late_runs = sum(line.tag == "late_job" for line in presses)

    again = _sample(chance, readings, DUPLICATES_AT_ONCE)
    presses += [line._replace(tag="again") for line in again]
    resent = _sample(chance, readings, DUPLICATES_LATER)
    presses += [_resent(line, chance.randrange(6, 40) * FLUSH_MS, "again") for line in resent]
    planted.duplicate_readings = len(again) + len(resent)
    contradicted = _sample(chance, [line for line in readings if '"type":"cycle"' in line.text], CONFLICTS)
    presses += [_contradiction(line) for line in contradicted]
    planted.conflicting_readings = len(contradicted)

    people = [line for line in terminals if line.tag in ("scrap", "use")]
    events = _sample(chance, people, EVENTS_AGAIN)
    terminals += [_resent(line, 90_000, "again") for line in events]
    planted.duplicate_events = len(events)
    for line in _sample(chance, [line for line in people if line.tag == "scrap"], STRANGE_UNITS):
        terminals.append(_slip(line))
        refused["terminals", "BAD_UNIT"] += 1

    for line in _sample(chance, process, UNKNOWN):
        presses.append(line._replace(tag="dirt", text=_retyped(line, "lubrication")))
        refused["presses", "NO_MAPPING"] += 1
    for line in _sample(chance, process, DAMAGED):
        presses.append(line._replace(tag="dirt", text=line.text[: chance.randrange(40, len(line.text) - 10)]))
        refused["presses", "BAD_JSON"] += 1
    for line in _sample(chance, readings, STRANGERS):
        text = line.text.replace('"machine":"', '"machine":"X-')
        presses.append(line._replace(tag="dirt", text=text))
        refused["presses", "UNKNOWN_EQUIPMENT"] += 1
    for line in _sample(chance, process, IMPOSSIBLE):
        text = line.text.replace('"ts":"2017-02-01', '"ts":"2017-02-31')
        presses.append(line._replace(tag="dirt", text=text))
        refused["presses", "BAD_TIME"] += 1
    for line in _sample(chance, [line for line in stations if line.tag == "reading"], UNKNOWN_AT_STATIONS):
        text = line.text.replace('"ev":"', '"ev":"test_')
        stations.append(line._replace(tag="dirt", text=text))
        refused["stations", "NO_MAPPING"] += 1
    planted.refused = dict(sorted(refused.items()))
    return planted


def _sample(chance: Random, lines: list[Line], count: int) -> list[Line]:
    return chance.sample(lines, min(count, len(lines)))


def _at(line: Line, received: int, tag: str) -> Line:
    text = line.text.replace(f'"rx":"{iso(line.received)}"', f'"rx":"{iso(received)}"')
    return line._replace(received=received, tag=tag, text=text)


def _resent(line: Line, later_ms: int, tag: str) -> Line:
    """The same message, sent once more after its connection was lost."""
    return _at(line, line.received + later_ms, tag)


def _contradiction(line: Line) -> Line:
    """Another message under a known sequence number, which counts seven more."""
    head, _, rest = line.text.partition('"shots":')
    value, _, tail = rest.partition("}")
    text = f'{head}"shots":{int(value) + 7}}}{tail}'.replace('"msg":"', '"msg":"again.')
    return _resent(line._replace(text=text), 2 * FLUSH_MS, "contradiction")


def _retyped(line: Line, kind: str) -> str:
    head, _, rest = line.text.partition('"type":"')
    _, _, tail = rest.partition('"')
    return f'{head}"type":"{kind}"{tail}'.replace('"msg":"', f'"msg":"{kind}.')


def _slip(line: Line) -> Line:
    """Somebody types a unit that is none, is told so, and types it properly, which is the message that there was."""
    typed, received = line.occurred - 20_000, line.received - 20_000
    text = _at(line, received, "slip").text.replace(f'"at":"{wall(line.occurred)}"', f'"at":"{wall(typed)}"')
    text = text.replace('"uom":"PC"', '"uom":"half box"').replace('"id":"', '"id":"slip.')
    return Line(received, typed, line.order, "slip", text)
