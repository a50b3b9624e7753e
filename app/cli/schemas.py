"""`lineledger schemas`: the record types, and the registry that guards them.

Exit codes: 0 fine, 1 incompatible or not current, 2 usage or infrastructure.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from confluent_kafka.schema_registry import SchemaRegistryClient

from app.cli.connecting import ClientConfig, Prefix, RegistryUrl
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.kafka import registry
from app.kafka.connection import connection
from schemas import generate as generator
from schemas.catalog import catalog

T = TypeVar("T")

app = typer.Typer(name="schemas", help="Record types and their registry: list, check, register, generate.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


@app.command(name="list")
def list_records(as_json: Json = False) -> None:
    """Every record type with its fixed id (embedded broker) and the topics that carry it."""
    carried: defaultdict[str, list[str]] = defaultdict(list)
    for name, topic in catalog().topics.items():
        for record in topic.records:
            carried[record].append(name)
    fixed = catalog().schema_ids
    rows = [{"record": record, "id": fixed.get(record), "topics": names} for record, names in sorted(carried.items())]
    if as_json:
        typer.echo(json.dumps({"compatibility": catalog().compatibility, "records": rows}))
    else:
        for record, names in sorted(carried.items()):
            typer.echo(f"{fixed.get(record, '-'):>4} {record:<24} {', '.join(names)}")


@app.command()
def check(url: RegistryUrl = "", prefix: Prefix = "", client_config: ClientConfig = None, as_json: Json = False) -> None:
    """Ask the registry whether this version's schemas may be registered. Changes nothing."""
    found = _asked(lambda: registry.check_all(_client(url, client_config), catalog(), prefix), as_json)
    _print_incompatible(found, as_json)
    raise typer.Exit(DIFFERS if found else OK)


@app.command()
def register(url: RegistryUrl = "", prefix: Prefix = "", client_config: ClientConfig = None, as_json: Json = False) -> None:
    """Register every schema; repeating it changes nothing. Refuses (SCHEMA_INCOMPATIBLE) before the first registration."""
    try:
        given = _asked(lambda: registry.register_all(_client(url, client_config), catalog(), prefix), as_json)
    except registry.SchemaIncompatible as refused:
        _print_incompatible(refused.found, as_json)
        raise typer.Exit(DIFFERS) from refused
    if as_json:
        typer.echo(json.dumps({"code": "", "ids": given}))
    else:
        typer.echo(f"{len(given)} record types registered, compatibility {catalog().compatibility}")


@app.command()
def generate(check: Annotated[bool, typer.Option("--check", help="Only tell whether records.py is current.")] = False) -> None:
    """Write schemas/records.py from schemas/avro/*.avsc."""
    wanted = generator.source()
    current = generator.TARGET.is_file() and generator.TARGET.read_text(encoding="utf-8") == wanted
    if check and not current:
        typer.echo("RECORDS_STALE: schemas/records.py differs from schemas/avro: lineledger schemas generate", err=True)
        raise typer.Exit(DIFFERS)
    if not check and not current:
        generator.TARGET.write_text(wanted, encoding="utf-8")
    typer.echo(f"schemas/records.py {'is current' if current else 'written'}")


def _client(url: str, client_config: Path | None) -> SchemaRegistryClient:
    found = connection("", registry=url, client_config=client_config).registry
    if not found.url:
        raise registry.RegistryUrlInvalid("name the registry: --registry URL, LINELEDGER_REGISTRY or schema.registry.url")
    return found.client()


def _asked(work: Callable[[], T], as_json: bool) -> T:
    """The registry's answer, or the end of the process with the error's code. Incompatibility is the caller's."""
    try:
        return work()
    except registry.SchemaIncompatible:
        raise
    except (registry.RegistryError, ValueError) as exc:  # ValueError: the client's word for an address that is no URL
        fail(getattr(exc, "code", "REGISTRY_URL_INVALID"), str(exc), as_json)


def _print_incompatible(found: list[registry.Incompatible], as_json: bool) -> None:
    code = registry.SchemaIncompatible.code if found else ""
    if as_json:
        rows = [{"subject": each.subject, "record": each.record, "detail": each.detail} for each in found]
        typer.echo(json.dumps({"code": code, "incompatible": rows}))
        return
    for each in found:
        typer.echo(f"{each.subject}   {each.detail}")
    typer.echo(f"{code}: {len(found)} subjects, nothing was registered" if found else "every schema is compatible")
