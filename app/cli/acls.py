"""`lineledger acls`: the rights in Kafka that the catalog and the installation's document give, and making it so.

Exit codes: 0 nothing to do, or applied; 1 rights differ (plan); 2 usage or infrastructure.
"""

import json
from collections.abc import Collection, Sequence

import typer

from app.cli.connecting import (
    Bootstrap,
    ClientConfig,
    InstallationPath,
    Installed,
    Json,
    Prefix,
    installed,
    on_broker,
)
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.plants import plants_of
from app.kafka import acls
from app.kafka.rights import Identified, PlantRights, Resource, Right, marks, own_resources, wanted_rights
from schemas.catalog import Catalog
from schemas.configuration import Configuration
from schemas.configuration.erp_source import erp_topic
from schemas.configuration.formats import FORMATS
from schemas.configuration.installation import InstalledPlant

app = typer.Typer(
    name="acls", help="Rights in Kafka by installation.yaml: plan, apply. Each stage gets what it needs.", no_args_is_help=True
)


@app.command()
def plan(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Show which rights apply would add and remove. Changes nothing."""
    found = _told(on_broker(installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False)))
    changes = _changes(found)
    _print(changes, as_json)
    raise typer.Exit(DIFFERS if changes else OK)


@app.command()
def apply(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Add what is missing, then remove what identities of this document or of earlier ones have beside it on names of this
    installation."""
    found = _told(on_broker(installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False)))
    changes = _changes(found)
    _print(changes, as_json)
    acls.apply(found.connection.broker.admin(), changes)


def _told(found: Installed) -> Installed:
    if not found.document.content.plants:
        fail("INSTALLATION_INVALID", "rights are those of the plants and identities of a document: -f installation.yaml")
    return found


def _changes(found: Installed) -> list[acls.RightChange]:
    catalog, prefix, who, plants = _roles(found)
    found.connection.broker.reach()
    wanted = wanted_rights(catalog, prefix, who, plants)

    def own(raw: Collection[str]) -> Collection[Resource]:
        before = PlantRights("-", "-", frozenset(raw), frozenset(), frozenset())
        return own_resources(catalog, prefix, who, [*plants, before])

    return acls.plan(found.connection.broker.admin(), prefix, [*wanted, *marks(prefix, wanted, plants)], own)


def rights(found: Installed) -> list[Right]:
    """Everything that the document gives."""
    return wanted_rights(*_roles(found))


def _roles(found: Installed) -> tuple[Catalog, str, Identified, list[PlantRights]]:
    """What the rights of the document follow from: catalog, prefix, identities, plants."""
    content = found.document.content
    stated = content.identities
    stages = {stage: getattr(stated, stage) for stage in content.catalog().feeds}
    who = Identified(stages, stated.readers, stated.operators)
    plants = [_of_plant(content.plants[plant.plant.plant.id], plant) for plant in plants_of(found.document)]
    return content.catalog(), found.prefix, who, plants


def _of_plant(stated: InstalledPlant, plant: Configuration) -> PlantRights:
    name = plant.plant.plant.id
    reads = [source.read for source in plant.plant.sources.values() if source.read.topic]
    of_people = frozenset(read.topic for read in reads if FORMATS[read.format].of_people)
    pulled = frozenset({erp_topic(name)} if plant.plant.master_data.pulled else ())
    return PlantRights(
        intake=stated.intake or f"lineledger-intake-{name.lower()}",
        network=stated.network,
        sent=frozenset(read.topic for read in reads) - of_people - pulled,
        of_people=of_people,
        pulled=pulled,
    )


def _print(changes: Sequence[acls.RightChange], as_json: bool) -> None:
    if as_json:
        rows = [{"action": change.action, "right": change.right} for change in changes]
        typer.echo(json.dumps({"code": "", "changes": rows}))
        return
    for change in changes:
        typer.echo(f"{change.action:<7} {change.right}")
    added = sum(change.action == "add" for change in changes)
    typer.echo(f"{added} rights to add, {len(changes) - added} to remove")
