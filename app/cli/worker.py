"""`lineledger worker`: run stages in this process until told to stop."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connecting import Bootstrap, ClientConfig, InstallationPath, Prefix, RegistryUrl, installed, on_broker, on_registry
from app.cli.failures import fail
from app.configuration import load
from app.secret import live_private_key, private_key
from app.settings import Settings
from schemas.configuration import Configuration
from schemas.records import ConfigDocument

CONFIGURED = ("intake",)
"""Stages that read their plant's files: the others hear of it in the log. In a run delivery does, too: it has one ERP."""


def worker(
    stages: Annotated[list[str], typer.Argument(help="intake, equipment, lots, orders, delivery.")],
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    config: Annotated[
        Path | None, typer.Option("--config", help="Folder with plant.yaml, rules.yaml, erp.yaml (intake).")
    ] = None,
    configuration: Annotated[Path | None, typer.Option(hidden=True)] = None,
    prefix: Prefix = "",
    datadir: Annotated[Path, typer.Option(help="State directory of this process.")] = Path("data"),
    instance: Annotated[str, typer.Option(help="Static member id, e.g. the pod's name.", envvar="LINELEDGER_INSTANCE")] = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    metrics_port: Annotated[int, typer.Option(help="Metrics and readiness on this port; 0: none.")] = 0,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics port.")] = "127.0.0.1",
    erp_journal: Annotated[str, typer.Option(hidden=True)] = "",
    recorded: Annotated[bool, typer.Option("--recorded", hidden=True)] = False,
    embedded: Annotated[bool, typer.Option("--embedded", hidden=True)] = False,
) -> None:
    """Run STAGES in this process. SIGTERM drains, checkpoints and closes."""
    from app.topology import STAGES
    from app.worker import run

    if unknown := [name for name in stages if name not in STAGES]:
        fail("UNKNOWN_STAGE", f"{', '.join(unknown)}; stages are {', '.join(STAGES)}")
    live = not recorded  # the records of a run have the catalog's ids
    found = on_broker(installed(installation, bootstrap, prefix, registry, client_config, embedded=embedded, with_registry=live))
    connected = on_registry(found).connection if live else found.connection
    wanted = _wanted(config, configuration)
    if wanted is None and (needs := [stage for stage in CONFIGURED if stage in stages]):
        fail("WRONG_USE", f"{' and '.join(needs)}: a configuration is missing; give --config DIR")
    content = found.document.content.catalog()
    settings = Settings(
        connection=connected,
        datadir=str(datadir / (instance or "0")),
        instance="" if embedded else instance,
        recorded=recorded,
        metrics_port=metrics_port,
        erp_journal=erp_journal,
        private_key=_key(stages, wanted, recorded),
        catalog=content.of_one_plant(wanted.erp.erp.endpoint) if recorded and wanted is not None else content,
    )
    run(stages, settings, wanted, metrics_host)


def _key(stages: list[str], wanted: Configuration | None, recorded: bool) -> bytes:
    """The key of private values, for intake: nothing behind it sees one."""
    if wanted is None or "intake" not in stages:
        return b""
    key_of = private_key if recorded else live_private_key
    return key_of(wanted.plant, os.environ)


def _wanted(config: Path | None, stored: Path | None) -> Configuration | None:
    if stored is not None:
        return Configuration.from_document(ConfigDocument.from_avro(json.loads(stored.read_text(encoding="utf-8"))))
    return None if config is None else load(config)
