"""`lineledger up`: a whole installation for development in one process: topics, schemas, all stages."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connecting import Bootstrap, ClientConfig, InstallationPath, Prefix, RegistryUrl, installed, on_broker, on_registry
from app.cli.failures import fail
from app.cli.plants import plants_of
from app.configuration import load
from app.secret import live_private_key
from app.settings import Settings


def up(
    config: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with plant.yaml, rules.yaml, erp.yaml; once per plant. Without: the document's plants."),
    ] = None,
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    registry: RegistryUrl = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    datadir: Annotated[Path, typer.Option(help="State directory of this process.")] = Path("data"),
    replication: Annotated[
        int, typer.Option(min=0, help="Copies of each partition of topics that are made; 0: as the document says, without one 1.")
    ] = 0,
    metrics_port: Annotated[int, typer.Option(help="Metrics and readiness on this port; 0: none.")] = 0,
) -> None:
    """Make the topics, register the schemas and run all stages of these plants in this process. Repeating it goes on where it
    was. For development: in production each stage is a worker of its own (`lineledger worker`). Each plant posts to
    its own endpoint (`endpoints` of the document)."""
    from app.kafka import registry as schemas
    from app.kafka import topics
    from app.topology import STAGES, raw_topics
    from app.worker import run

    found = on_broker(installed(installation, bootstrap, prefix, registry, client_config))
    plants = [load(folder) for folder in config] if config else plants_of(found.document)
    names = [plant.plant.plant.id for plant in plants]
    if not names:
        fail("WRONG_USE", "give --config DIR for each plant, or `-f installation.yaml` with `plants`")
    if len(set(names)) < len(names):
        fail("WRONG_USE", f"two of the folders have the same plant ({', '.join(names)})")
    connected, wanted = on_registry(found).connection, found.document.content
    raw = [topic for plant in plants for topic in raw_topics(plant, recorded=False)]
    connected.broker.reach()
    copies = wanted.topics.copies(replication if installation else replication or 1)
    topics.apply(connected.broker.admin(), wanted.catalog(), found.prefix, raw, **copies._asdict())
    schemas.register_all(connected.registry.client(), wanted.catalog(), found.prefix)
    typer.echo(
        f"{', '.join(names)}: topics and schemas are there, raw records go to {', '.join(found.prefix + topic for topic in raw)}"
    )
    first, *others = [(plant, live_private_key(plant.plant, os.environ)) for plant in plants]
    settings = Settings(
        connection=connected,
        datadir=str(datadir / "up"),
        instance="up",
        metrics_port=metrics_port,
        private_key=first[1],
        catalog=wanted.catalog(),
    )
    run(STAGES, settings, first[0], others=others)
