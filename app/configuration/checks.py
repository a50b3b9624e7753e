"""Checks across sections and files: what each part alone cannot know."""

import re
from collections.abc import Iterator

from app.configuration import erp_checks
from app.configuration.problems import ConfigurationFinding, Path
from schemas.configuration import ErpConfig, PlantConfig, RulesConfig
from schemas.configuration.triggers import AtOnce, EveryQuantity, Measure
from streams.mapping import MappingError, compile_source
from tables.plant.calendar import Calendar
from tables.plant.periods import PostingPeriods
from tables.plant.system_of_record import EVERY, OWNERS, may_state
from tables.plant.units import UnitTable
from tables.refusal import Refusal, RefusedValue

PIECE = "PC"


def cross_checks(plant: PlantConfig | None, rules: RulesConfig | None, erp: ErpConfig | None) -> Iterator[ConfigurationFinding]:
    """Every problem that the files have together; a file that is None was not valid by itself."""
    if plant is not None:
        yield from _calendar(plant)
        yield from _aliases(plant)
        yield from _mappings(plant)
        yield from _owners(plant)
        yield from _globs(plant)
    if plant is not None and rules is not None:
        yield from _consumption(plant, rules)
    if plant is not None:
        yield from _units(plant, rules, erp)
    if erp is not None:
        yield from erp_checks.endpoint(erp)
        yield from erp_checks.capabilities(plant, rules, erp)
    if plant is not None and erp is not None:
        yield from _periods(plant, erp)


def _calendar(plant: PlantConfig) -> Iterator[ConfigurationFinding]:
    calendar = plant.calendar
    try:
        Calendar(plant.plant.zone, calendar.shifts, calendar.business_date, calendar.outside_shift, calendar.days_off)
    except RefusedValue as wrong:
        yield ConfigurationFinding("plant.yaml", ("calendar", "shifts"), wrong.refusal.detail)


def _periods(plant: PlantConfig, erp: ErpConfig) -> Iterator[ConfigurationFinding]:
    if not erp.periods.close:
        return
    try:
        periods = PostingPeriods(erp.periods.close, plant.plant.zone, plant.calendar.days_off)
        for day in plant.calendar.days_off:
            periods.closes_at(day[:7])
    except RefusedValue as wrong:
        if wrong.refusal.code == "BAD_PERIOD":  # a wrong zone is found by itself
            yield ConfigurationFinding("erp.yaml", ("periods", "close"), wrong.refusal.detail)


def _aliases(plant: PlantConfig) -> Iterator[ConfigurationFinding]:
    owners = {name: name for name in plant.equipment}
    for name, entry in plant.equipment.items():
        for index, alias in enumerate(entry.alias):
            owner = owners.setdefault(alias, name)
            if owner != name or alias == name:
                message = f"`{alias}` already stands for {owner}; a name stands for one equipment"
                yield ConfigurationFinding("plant.yaml", ("equipment", name, "alias", index), message)
        if name != "*" and re.search(r"[|\x00-\x1f]", name):
            yield ConfigurationFinding("plant.yaml", ("equipment", name), "a name has no `|` and no control character")


def _mappings(plant: PlantConfig) -> Iterator[ConfigurationFinding]:
    for name, source in plant.sources.items():
        try:
            compile_source(name, source, plant)
        except MappingError as wrong:
            for problem in wrong.problems:
                yield ConfigurationFinding("plant.yaml", ("sources", name, *problem.path), problem.message)


def _owners(plant: PlantConfig) -> Iterator[ConfigurationFinding]:
    """A rule whose every record would be refused (docs/system-of-record.md)."""
    for name, source in plant.sources.items():
        for index, rule in enumerate(source.events if source.system is not None else ()):
            for record in (rule.emit, *(also.emit for also in rule.also)):
                if record in OWNERS and not may_state(source.system or "", record):
                    owners = " or ".join(OWNERS[record][EVERY])
                    message = f"NOT_SYSTEM_OF_RECORD: {record} is {owners}'s, and this source has `system: {source.system}`"
                    yield ConfigurationFinding("plant.yaml", ("sources", name, "events", index, "emit"), message)


def _globs(plant: PlantConfig) -> Iterator[ConfigurationFinding]:
    owners: dict[str, str] = {}
    topics: dict[str, str] = {}
    for name, source in plant.sources.items():
        for index, glob in enumerate(source.files):
            if owners.setdefault(glob, name) != name:
                message = f"`{glob}` belongs to source {owners[glob]} already"
                yield ConfigurationFinding("plant.yaml", ("sources", name, "files", index), message)
        topic = source.read.topic
        if topic and topics.setdefault(topic, name) != name:
            message = f"topic `{topic}` belongs to source {topics[topic]} already; one source per topic"
            yield ConfigurationFinding("plant.yaml", ("sources", name, "read", "topic"), message)


def _consumption(plant: PlantConfig, rules: RulesConfig) -> Iterator[ConfigurationFinding]:
    metered: set[str] = set()
    for equipment in plant.equipment.values():
        for name, counter in equipment.counters.items():
            if counter.counts == "consumption":
                metered |= {name, counter.of, counter.position}
    for index, entry in enumerate(rules.consumption):
        if entry.mode == "metered" and entry.component not in metered | {"*"}:
            message = (
                f"`{entry.component}` is by meter, but no counter of plant.yaml has `counts: consumption` for it; "
                "add the counter or choose another mode"
            )
            yield ConfigurationFinding("rules.yaml", ("consumption", index, "by"), message, {"plant.yaml": ["equipment"]})


def _units(plant: PlantConfig, rules: RulesConfig | None, erp: ErpConfig | None) -> Iterator[ConfigurationFinding]:
    tables = UnitTable()
    stated = {PIECE}
    for material, definitions in plant.units.items():
        try:
            tables = tables.with_material(material, definitions)
        except RefusedValue as wrong:
            yield ConfigurationFinding("plant.yaml", ("units", material), wrong.refusal.detail)
        stated |= {word for text in definitions for word in re.findall(r"\d\s+([^\s=]+)", text)}
    for equipment, entry in plant.equipment.items():
        stated |= {counter.unit for counter in entry.counters.values()}
        for name, counter in entry.counters.items():
            if not counter.unit or re.search(r"[\s|]", counter.unit):
                message = (
                    f"`{counter.unit}` is no unit: a word without blank and `|`"
                    if counter.unit
                    else "the unit is empty; write one like PC"
                )
                yield ConfigurationFinding("plant.yaml", ("equipment", equipment, "counters", name, "unit"), message)
    if plant.master_data.materials == "erp" or _told_of_materials(plant):
        return  # units of materials are known only when these have come

    def unknown(file: str, path: Path, unit: str) -> Iterator[ConfigurationFinding]:
        if unit and not _known(unit, stated, tables):
            message = f"unit `{unit}` is not known; add a conversion like `1 {unit} = 48 PC` to `units`"
            yield ConfigurationFinding(file, path, message, {"plant.yaml": ["units", "equipment", "master_data"]})

    for kind, booking in erp.book.items() if erp is not None else ():
        yield from unknown("erp.yaml", ("book", kind, "unit"), booking.unit)
    if rules is None:
        return
    for index, rule in enumerate(rules.post):
        for trigger in [*rule.when, *([] if rule.at_least is None else [rule.at_least])]:
            if isinstance(trigger, EveryQuantity | AtOnce | Measure):
                yield from unknown(
                    "rules.yaml", ("post", index, "at_least" if trigger is rule.at_least else "when"), trigger.unit
                )
        yield from unknown("rules.yaml", ("post", index, "unit"), rule.unit)


def _told_of_materials(plant: PlantConfig) -> bool:
    """A source brings materials, and with them their conversions."""
    rules = [rule for source in plant.sources.values() for rule in source.events]
    return any(record == "MaterialChanged" for rule in rules for record in (rule.emit, *(also.emit for also in rule.also)))


def _known(unit: str, stated: set[str], tables: UnitTable) -> bool:
    built_in = ("kg", "m", "l", "h")
    return unit in stated or any(not isinstance(tables.factor(unit, other), Refusal) for other in built_in)
