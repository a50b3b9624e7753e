"""`lineledger ingest`: files that are dropped into a folder become raw records of a source."""

import os
import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from app.cli.connecting import Bootstrap, ClientConfig, InstallationPath, Prefix, installed, on_broker, typed
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail

STABLE, MARKER, RENAME = "stable", "marker", "rename"


def ingest(
    config: Annotated[Path, typer.Option(help="Folder with plant.yaml, rules.yaml and erp.yaml.")],
    source: Annotated[str, typer.Option(help="Source of plant.yaml that the files belong to.")],
    folder: Annotated[Path, typer.Option(help="Where files are dropped; done/ and refused/ are made in it.")],
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    complete: Annotated[
        str, typer.Option(help="stable: unchanged for --quiet seconds; marker: NAME.done beside it; rename: at once.")
    ] = STABLE,
    quiet: Annotated[float, typer.Option(min=0, help="Seconds that a stable file has not changed.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="End when no file of the source is left in the folder.")] = False,
) -> None:
    """Write the records of dropped files into the source's raw topic. SIGTERM ends it, also within a file:
    the next start goes on behind the records that are written.
    Exit 0: every file was taken; 1: some stayed, the log says why; 2: wrong use or no infrastructure."""
    from app.configuration import load, mappers
    from app.ingest.drop_folder import DropFolder, FolderInUse
    from app.ingest.ingest import Ingest
    from app.ingest.raw_writer import RawNotWritten, RawWriter
    from app.secret import live_private_key

    if complete not in (STABLE, MARKER, RENAME):
        fail("WRONG_USE", f"--complete {complete}: it is {STABLE}, {MARKER} or {RENAME}")
    configuration = load(config)
    found = mappers(configuration, live_private_key(configuration.plant, os.environ))
    if source not in found:
        fail("WRONG_USE", f"--source is one of {', '.join(sorted(found))}")
    mapper = found[source]
    if not mapper.read.topic:
        fail("WRONG_USE", f"source {source} has no `read.topic`; add `read: {{topic: TOPIC}}` to it in plant.yaml")
    if not folder.is_dir():
        fail("FILE_UNUSABLE", f"{folder} is no folder; make it, or name another one with --folder")
    stop = Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    told = on_broker(installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False))
    broker, topic = told.connection.broker, told.prefix + mapper.read.topic
    try:
        broker.reach()
        writer = RawWriter(broker, topic, stop.is_set)
        if not writer.partitions():
            there = typed(told, installation, bootstrap, prefix, client_config)
            fail("TOPIC_MISSING", f"there is no topic {topic}; `lineledger topics apply {there} --raw {mapper.read.topic}`")
        files = DropFolder(folder, mapper.files, complete, quiet)  # type: ignore[arg-type]  # checked above
    except (RawNotWritten, FolderInUse) as error:
        fail(error.code, str(error))
    try:
        all_taken = Ingest(files, mapper, writer, stop.is_set).run(once)
    finally:
        files.close()
    raise typer.Exit(OK if all_taken else DIFFERS)
