"""`lineledger topics`: what the catalog wants on a broker, and making it so.

Exit codes: 0 nothing to do, or applied; 1 topics differ (plan: or are missing); 2 usage or infrastructure.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Protocol

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from app.cli.connecting import (
    Bootstrap,
    ClientConfig,
    InstallationPath,
    Installed,
    Json,
    Prefix,
    RegistryUrl,
    installed,
    on_broker,
)
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.plants import plants_of, without_endpoint
from app.configuration import load
from app.kafka import topics
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from app.kafka.registry import RegistryError
from app.kafka.topic_plan import Change, TopicNameInvalid, copies_hint, wanted_topics
from app.secret import private_key
from schemas.catalog import Catalog
from schemas.codec import Codec
from schemas.configuration.installation import Copies

app = typer.Typer(
    name="topics", help="The catalog's topics on a broker: plan, apply. Nothing is ever altered.", no_args_is_help=True
)

Raw = Annotated[list[str] | None, typer.Option(help="Raw topic of a source, as in plant.yaml; may be repeated.")]
Config = Annotated[
    list[Path] | None, typer.Option("--config", help="Folder with plant.yaml: the raw topics of its sources; may be repeated.")
]
Replication = Annotated[int, typer.Option(min=0, help="Copies of each partition; 0: as the document says, else 3.")]
Recorded = Annotated[bool, typer.Option(help="For recorded input: keep its timestamps, delete nothing for its age.")]


@app.command()
def plan(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    raw: Raw = None,
    config: Config = None,
    replication: Replication = 0,
    recorded: Recorded = False,
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Show what apply would create and what differs. Changes nothing."""
    found = on_broker(installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False))
    wanted = _wanted(found, raw, config, replication, recorded)
    changes = _reported(lambda: wanted.on(topics.plan), as_json)
    drift = any(change.action == "drift" for change in changes)
    _print(changes, topics.TopicDrift.code if drift else "", as_json)
    raise typer.Exit(OK if all(change.action == "ok" for change in changes) else DIFFERS)


@app.command()
def apply(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    raw: Raw = None,
    config: Config = None,
    replication: Replication = 0,
    recorded: Recorded = False,
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Create what is missing. Refuses (TOPIC_DRIFT) while an existing topic differs."""
    found = on_broker(installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False))
    wanted = _wanted(found, raw, config, replication, recorded)
    try:
        changes = _reported(lambda: wanted.on(topics.apply), as_json)
    except topics.TopicDrift as refused:
        _print(refused.changes, refused.code, as_json)
        raise typer.Exit(DIFFERS) from refused
    _print(changes, "", as_json)


class Planning(Protocol):
    """app.kafka.topics.plan or apply."""

    def __call__(
        self,
        admin: AdminClient,
        catalog: Catalog,
        prefix: str,
        raw_topics: Sequence[str],
        *,
        replication: int,
        min_insync: int,
        recorded: bool,
    ) -> list[Change]: ...


@dataclass(slots=True, frozen=True)
class Wanted:
    """The topics of an installation, and its broker."""

    broker: Broker
    catalog: Catalog
    prefix: str
    raw: Sequence[str]
    copies: Copies
    recorded: bool

    def on(self, work: Planning) -> list[Change]:
        """Once it is clear that the names are right and the broker lets this program in."""
        wanted_topics(self.catalog, self.prefix, self.raw)
        self.broker.reach()
        return work(self.broker.admin(), self.catalog, self.prefix, self.raw, **self.copies._asdict(), recorded=self.recorded)


def _wanted(found: Installed, raw: list[str] | None, folders: list[Path] | None, replication: int, recorded: bool) -> Wanted:
    """Of the document; the raw topics of its plants, and those that were named. Says which plant names an ERP that it does not
    have. Ends the command where a count is stated for a topic that nobody has."""
    from app.topology import raw_topics

    stated = found.document.content
    plants = [*plants_of(found.document), *map(load, folders or ())]
    names = [*(raw or ()), *(topic for plant in plants for topic in raw_topics(plant, recorded=False))]
    catalog = stated.catalog()
    if stated.plants and (nobodys := sorted(catalog.raw_partitions.keys() - set(names))):
        fail("INSTALLATION_INVALID", f"topics.partitions.topics: no source of a plant reads {', '.join(nobodys)}")
    for sentence in without_endpoint(plants, catalog.endpoints):
        typer.echo(f"warning: {sentence}", err=True)
    copies = stated.topics.copies(replication)
    return Wanted(found.connection.broker, catalog, found.prefix, list(dict.fromkeys(names)), copies, recorded)


def _reported(work: Callable[[], list[Change]], as_json: bool) -> list[Change]:
    """The changes, or the end of the process with the error's code."""
    try:
        return work()
    except (BrokerUnavailable, BrokerRefused, TopicNameInvalid) as exc:
        fail(exc.code, str(exc), as_json)


def _print(changes: Sequence[Change], code: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"code": code, "changes": [asdict(change) for change in changes]}))
        return
    for change in changes:
        if change.action != "ok":
            typer.echo(f"{change.action:<7} {change.topic}{'   ' if change.reasons else ''}{'; '.join(change.reasons)}")
    count = Counter(change.action for change in changes)
    typer.echo(f"{len(changes)} topics: {count['create']} to create, {count['drift']} differ, {count['ok']} as wanted")
    if hint := copies_hint(changes):
        typer.echo(hint)
    if code:
        typer.echo(f"{code}: nothing was changed. Alter these topics by hand, or use another --prefix.")


epochs = typer.Typer(
    name="epoch", help="The log epoch: offsets begin anew when topics were recreated on purpose.", no_args_is_help=True
)
app.add_typer(epochs)


@epochs.command("show")
def show_epoch(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Say which log epoch holds."""
    from app.kafka import log_epoch

    found = on_broker(installed(installation, bootstrap, prefix, registry, client_config))
    _print_epoch(lambda broker, codec: log_epoch.current(broker, codec, found.prefix), found, as_json)


@epochs.command("raise")
def raise_epoch(
    why: Annotated[str, typer.Option(help="What was recreated or cut, and why: it stays in the log.")],
    who: Annotated[str, typer.Option(help="Who decides; kept as a keyed hash.")],
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Let the workers go on with inboxes that were recreated or cut (exit codes 73 and 78). Records that nobody had folded are
    lost: reconcile afterwards. Workers that run must be restarted."""
    from app.kafka import log_epoch
    from streams.mapping.private import keyed_hash

    found = on_broker(installed(installation, bootstrap, prefix, registry, client_config))
    hashed = keyed_hash(private_key(None, os.environ) or found.prefix.encode())(who)
    now = time.time_ns() // 1000
    _print_epoch(lambda broker, codec: log_epoch.raise_epoch(broker, codec, found.prefix, now, hashed, why).epoch, found, as_json)


def _print_epoch(work: Callable[[Broker, Codec], int], found: Installed, as_json: bool) -> None:
    connected = found.connection
    try:
        connected.broker.reach()
        epoch = work(connected.broker, connected.codec())
    except (BrokerUnavailable, BrokerRefused, RegistryError) as exc:
        fail(exc.code, str(exc), as_json)
    except (KafkaException, KeyError) as exc:
        fail(
            BrokerUnavailable.code,
            f"no topic `{connected.prefix}config` there ({exc!r}); check --bootstrap and --prefix",
            as_json,
        )
    typer.echo(json.dumps({"log_epoch": epoch}) if as_json else f"log epoch {epoch}; start (or restart) every worker")
