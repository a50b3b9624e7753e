"""`lineledger config`: check a plant's files, try a mapping on a sample, write the JSON Schemas."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pydantic import BaseModel

from app.cli.exits import DIFFERS, OK, USAGE
from app.cli.failures import fail
from app.cli.repeats import Repeat, Repeats
from app.configuration import FILES, ConfigError, load, mappers
from app.configuration.erp_checks import for_live_use
from app.configuration.loading import others_in
from app.inputs.cut_files import cut_or_refused
from app.inputs.file_text import UnreadableFile
from app.ledger.questions.originals import printable, readable
from schemas.configuration import Configuration, ErpConfig, PlantConfig, RulesConfig
from schemas.configuration.mapping import Read
from streams.mapping import UNAVAILABLE, Mapped, Mapper, RawRecord, Reading, RefusedRecord
from streams.mapping.formats import format_of
from tables.canonical import ENVELOPE
from tables.quantity import decimal_text

_SHOWN = 160
_MODELS: dict[str, type[BaseModel]] = dict(zip(FILES, (PlantConfig, RulesConfig, ErpConfig), strict=True))

app = typer.Typer(help="Check plant.yaml, rules.yaml and erp.yaml, and try mappings on samples.", no_args_is_help=True)

ConfigDir = Annotated[Path, typer.Option("--config", help="Folder with plant.yaml, rules.yaml and erp.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


class Tried(NamedTuple):
    """One raw record and what became of it; no items: a rule ignores it. `repeats`: of each item, what it repeats."""

    position: str
    raw: str
    items: Mapped
    repeats: list[Repeat | None]

    @property
    def refused(self) -> bool:
        conflict = any(repeat is not None and repeat.conflict for repeat in self.repeats)
        return conflict or any(isinstance(item, RefusedRecord) for item in self.items)


@app.command()
def check(config: ConfigDir, as_json: AsJson = False) -> None:
    """Say everything that is wrong with a configuration, with file and line. Exit 0: nothing; 1: something; 2: there is
    no such folder."""
    configuration = _loaded(config, DIFFERS if config.is_dir() else USAGE, as_json)
    summary: dict[str, Any] = {
        "ok": True,
        "plant": configuration.plant.plant.id,
        "hash": configuration.hash,
        "rule_version": configuration.rule_version,
        "problems": [],
        "live": list(for_live_use(configuration.erp)),
        "not_read": others_in(config),
    }
    if as_json:
        typer.echo(json.dumps(summary))
        return
    plant = configuration.plant
    typer.echo(
        f"{plant.plant.id}: {len(plant.sources)} sources, {len(plant.equipment)} equipment, "
        f"{len(configuration.rules.post)} posting rules. No problem found."
    )
    typer.echo(f"hash {configuration.hash}   rules {configuration.rule_version}")
    for sentence in summary["live"]:
        typer.echo(f"for live use: {sentence}")
    if summary["not_read"]:
        typer.echo(f"not read: {', '.join(summary['not_read'])}")


@app.command("try")
def try_source(
    config: ConfigDir,
    file: Annotated[Path, typer.Argument(help="Sample of raw records in the source's format; .gz and .zst are read, too.")],
    source: Annotated[str, typer.Option(help="Source of plant.yaml; default: the only one.")] = "",
    lines: Annotated[int, typer.Option(min=1, max=100_000, help="How many records to read.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Map the first records of a file and show raw beside canonical, refused ones first, and what repeats or contradicts
    an earlier record of the sample. Exit 1: some were refused."""
    configuration = _loaded(config, USAGE, as_json)
    found = mappers(configuration)
    mapper = found.get(source) if source else next(iter(found.values())) if len(found) == 1 else None
    if mapper is None:
        fail("WRONG_USE", f"--source is one of {', '.join(sorted(found))}", as_json)
    try:
        tried = list(_try(mapper, Repeats(configuration.plant), file, lines))
    except UnreadableFile as wrong:
        fail(wrong.code, f"{file}: {wrong.detail}", as_json)
    plant = configuration.plant
    ordered = sorted(tried, key=lambda one: not one.refused)
    counts = Counter(_name(item) for one in tried for item in one.items)
    counts["ignored"] = mapper.ignored
    counts.update("SEQ_CONFLICT" if repeat.conflict else "repeated" for one in tried for repeat in one.repeats if repeat)
    if as_json:
        plain = [[_plain(item, repeat, plant) for item, repeat in zip(one.items, one.repeats, strict=True)] for one in ordered]
        records = [{"position": one.position, "raw": one.raw, "items": items} for one, items in zip(ordered, plain, strict=True)]
        typer.echo(json.dumps({"source": mapper.name, "counts": dict(counts), "records": records}))
    else:
        for one in ordered:
            typer.echo(f"{one.position}  {_shown(one.raw, mapper.read)}")
            for item, repeat in zip(one.items, one.repeats, strict=True):
                typer.echo(f"    {_described(item, plant)}{_repeated(repeat)}")
            if not one.items:
                typer.echo("    ignored")
        told = "   ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)
        typer.echo(told or f"{file} has no record; a csv file needs a line below its header")
        if len(tried) == lines:
            typer.echo(f"the first {lines} records; --lines reads more")
    raise typer.Exit(DIFFERS if any(one.refused for one in tried) else OK)


@app.command()
def schema(
    file: Annotated[str, typer.Argument(help="plant.yaml, rules.yaml, erp.yaml; default: all three.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write <file>.schema.json to.")] = None,
    as_json: AsJson = False,
) -> None:
    """The JSON Schema of the files, for editors (always JSON)."""
    names = [file] if file else list(FILES)
    if any(name not in _MODELS for name in names):
        fail("WRONG_USE", f"`{file}` is none of the files; they are {', '.join(FILES)}", as_json)
    schemas = {name: _MODELS[name].model_json_schema(by_alias=True, mode="validation") for name in names}
    if out is None:
        typer.echo(json.dumps(schemas[file] if file else schemas, indent=None if as_json else 2))
        return
    written = []
    out.mkdir(parents=True, exist_ok=True)
    for name, content in schemas.items():
        target = out / f"{name.removesuffix('.yaml')}.schema.json"
        target.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        written.append(str(target))
    typer.echo(json.dumps({"written": written}) if as_json else "\n".join(written))


def _loaded(directory: Path, exit_code: int, as_json: bool) -> Configuration:
    try:
        return load(directory)
    except ConfigError as wrong:
        if as_json:
            problems = [problem._asdict() for problem in wrong.problems]
            typer.echo(json.dumps({"ok": False, "code": wrong.code, "problems": problems, "partial": wrong.partial}))
        else:
            begins = f"{wrong.code}: " if exit_code == USAGE else ""
            typer.echo("\n".join(f"{begins}{problem}" for problem in wrong.problems), err=True)
            if wrong.partial and not begins:
                typer.echo("then check again: what depends on these is looked at once they are right", err=True)
        raise typer.Exit(exit_code) from None


def _try(mapper: Mapper, repeats: Repeats, file: Path, records: int) -> Iterator[Tried]:
    for number, value in islice(cut_or_refused(file, mapper.read, mapper.columns), records):
        items = mapper.map(RawRecord(value, mapper.name, file.name, number))
        position, raw = f"{file.name}:{number}", mapper.redacted(value).decode(mapper.read.encoding, errors="replace")
        yield Tried(position, raw, items, [repeats.note(item, position) for item in items])


def _name(item: Any) -> str:
    return (
        item.code if isinstance(item, RefusedRecord) else "CounterReading" if isinstance(item, Reading) else type(item).__name__
    )


def _plain(item: Any, repeat: Repeat | None, plant: PlantConfig) -> dict[str, Any]:
    if isinstance(item, RefusedRecord):
        return {
            "refused": item.code,
            "detail": item.detail,
            "event_id": item.event_id,
            "rule_line": item.line,
            "equipment": item.equipment,
            "kind": item.kind,
            "quantity": None if item.quantity is None else item.quantity.to_avro(),
        }
    if isinstance(item, Reading):
        plain = {"event": _name(item), **item._asdict(), "shows": _counted(item, plant)}
    else:
        plain = {"event": _name(item), **item.to_avro()}
    return plain if repeat is None else {**plain, "repeats": repeat.of, "conflict": repeat.conflict}


def _described(item: Any, plant: PlantConfig) -> str:
    if isinstance(item, RefusedRecord):
        rule = f" (rule at plant.yaml:{item.line})" if item.line else ""
        return f"REFUSED {item.code}: {item.detail}{rule}"
    if isinstance(item, Reading):
        seq = "" if item.seq < 0 else f" seq {item.seq}"
        return f"-> CounterReading {item.equipment} {item.counter} = {_counted(item, plant)}{seq} at {_instant(item.occurred_at)}"
    hidden = ENVELOPE - {"correlation_id", "copy"}
    content = {key: readable(value) for key, value in item.to_avro().items() if key not in hidden and value not in ("", [], None)}
    return f"-> {_name(item)} at {_instant(item.occurred_at)} {json.dumps(content, ensure_ascii=False)}"


def _counted(reading: Reading, plant: PlantConfig) -> str:
    """What a reading shows, in decimals with its unit."""
    if reading.value == UNAVAILABLE:
        return "unavailable"
    counter = plant.counter_for(reading.equipment, reading.counter)
    return str(reading.value) if counter is None else f"{decimal_text(reading.value, counter.decimals)} {counter.unit}"


def _repeated(repeat: Repeat | None) -> str:
    if repeat is None:
        return ""
    if repeat.conflict:
        return f"   REFUSED SEQ_CONFLICT: {repeat.of} has another value under the same number, and stays"
    return f"   repeats {repeat.of}: counts once"


def _instant(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _shown(text: str, read: Read) -> str:
    """The record itself, without the header or document that it carries."""
    text = format_of(read).shown(text, read)
    shown = printable(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
