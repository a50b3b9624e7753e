"""`lineledger schemas`: the record types, and the registry that guards them.

Exit codes: 0 fine, 1 incompatible or not current, 2 usage or infrastructure.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from confluent_kafka.schema_registry import SchemaRegistryClient

from app.cli.connecting import ClientConfig, InstallationPath, Installed, Json, Prefix, RegistryUrl, installed, on_registry
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.kafka import registry
from schemas import generate as generator
from schemas.catalog import catalog

T = TypeVar("T")

app = typer.Typer(name="schemas", help="Record types and their registry: list, plan, apply, generate.", no_args_is_help=True)


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
def plan(
    installation: InstallationPath = None,
    url: RegistryUrl = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Show what apply would register, and what the registry would refuse. Changes nothing."""
    found = on_registry(installed(installation, "", prefix, url, client_config, as_json=as_json), as_json)

    def asked() -> tuple[list[registry.Incompatible], list[str]]:
        client = _client(found)
        return registry.check_all(client, catalog(), found.prefix), registry.unregistered(client, catalog(), found.prefix)

    incompatible, missing = _asked(asked, as_json)
    _print(incompatible, missing, as_json)
    raise typer.Exit(DIFFERS if incompatible or missing else OK)


@app.command()
def apply(
    installation: InstallationPath = None,
    url: RegistryUrl = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Register every schema; repeating it changes nothing. Refuses (SCHEMA_INCOMPATIBLE) before the first registration."""
    found = on_registry(installed(installation, "", prefix, url, client_config, as_json=as_json), as_json)
    try:
        given = _asked(lambda: registry.register_all(_client(found), catalog(), found.prefix), as_json)
    except registry.SchemaIncompatible as refused:
        _print(refused.found, [], as_json)
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


def _client(told: Installed) -> SchemaRegistryClient:
    return told.connection.registry.client()


def _asked(work: Callable[[], T], as_json: bool) -> T:
    """The registry's answer, or the end of the process with the error's code. Incompatibility is the caller's."""
    try:
        return work()
    except registry.SchemaIncompatible:
        raise
    except (registry.RegistryError, ValueError) as exc:  # ValueError: the client's word for an address that is no URL
        fail(getattr(exc, "code", "REGISTRY_URL_INVALID"), str(exc), as_json)


def _print(incompatible: list[registry.Incompatible], missing: list[str], as_json: bool) -> None:
    code = registry.SchemaIncompatible.code if incompatible else ""
    if as_json:
        rows = [{"subject": each.subject, "record": each.record, "detail": each.detail} for each in incompatible]
        typer.echo(json.dumps({"code": code, "incompatible": rows, "missing": missing}))
        return
    for each in incompatible:
        typer.echo(f"differs {each.subject}   {each.detail}")
    for subject in missing:
        typer.echo(f"create  {subject}")
    typer.echo(f"{len(missing)} subjects to create or to add to, {len(incompatible)} differ")
    if code:
        typer.echo(f"{code}: nothing was registered")
