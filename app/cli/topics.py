"""`lineledger topics`: what the catalog wants on a broker, and making it so.

Exit codes: 0 nothing to do, or applied; 1 topics differ (plan: or are missing); 2 usage or infrastructure.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from app.cli.connecting import Bootstrap, ClientConfig, Prefix, RegistryUrl, connection_of
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.kafka import topics
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from app.kafka.registry import RegistryError
from app.kafka.topic_plan import Change, TopicNameInvalid, wanted_topics
from app.secret import private_key
from schemas.catalog import catalog
from schemas.codec import Codec

app = typer.Typer(
    name="topics", help="The catalog's topics on a broker: plan, apply. Nothing is ever altered.", no_args_is_help=True
)

Raw = Annotated[list[str] | None, typer.Option(help="Raw topic of a source, as in plant.yaml; may be repeated.")]
Config = Annotated[
    list[Path] | None, typer.Option("--config", help="Folder with plant.yaml: the raw topics of its sources; may be repeated.")
]
Replication = Annotated[int, typer.Option(min=1, help="Copies of each partition: 3 in production.")]
Recorded = Annotated[bool, typer.Option(help="For recorded input: keep its timestamps, delete nothing for its age.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


@app.command()
def plan(
    bootstrap: Bootstrap,
    prefix: Prefix = "",
    raw: Raw = None,
    config: Config = None,
    replication: Replication = 3,
    recorded: Recorded = False,
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Show what apply would create and what differs. Changes nothing."""
    broker, raw = connection_of(bootstrap, prefix, client_config=client_config).broker, _raw(raw, config)
    changes = _reported(
        lambda: topics.plan(_reached(broker, prefix, raw), catalog(), prefix, raw, replication=replication, recorded=recorded),
        as_json,
    )
    drift = any(change.action == "drift" for change in changes)
    _print(changes, topics.TopicDrift.code if drift else "", as_json)
    raise typer.Exit(OK if all(change.action == "ok" for change in changes) else DIFFERS)


@app.command()
def apply(
    bootstrap: Bootstrap,
    prefix: Prefix = "",
    raw: Raw = None,
    config: Config = None,
    replication: Replication = 3,
    recorded: Recorded = False,
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Create what is missing. Refuses (TOPIC_DRIFT) while an existing topic differs."""
    broker, raw = connection_of(bootstrap, prefix, client_config=client_config).broker, _raw(raw, config)
    try:
        changes = _reported(
            lambda: topics.apply(
                _reached(broker, prefix, raw), catalog(), prefix, raw, replication=replication, recorded=recorded
            ),
            as_json,
        )
    except topics.TopicDrift as refused:
        _print(refused.changes, refused.code, as_json)
        raise typer.Exit(DIFFERS) from refused
    _print(changes, "", as_json)


def _raw(named: list[str] | None, folders: list[Path] | None) -> list[str]:
    """The raw topics that were named, and those of the plants."""
    from app.configuration import load
    from app.topology import raw_topics

    found = list(named or ())
    for folder in folders or ():
        found += raw_topics(load(folder), recorded=False)
    return list(dict.fromkeys(found))


def _reached(broker: Broker, prefix: str, raw: Sequence[str]) -> AdminClient:
    """An admin client, once it is clear that the names are right and the broker lets this program in."""
    wanted_topics(catalog(), prefix, raw)
    broker.reach()
    return broker.admin()


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
    if code:
        typer.echo(f"{code}: nothing was changed. Alter these topics by hand, or use another --prefix.")


epoch = typer.Typer(
    name="epoch", help="The log epoch: offsets begin anew when topics were recreated on purpose.", no_args_is_help=True
)
app.add_typer(epoch)


@epoch.command("show")
def show_epoch(
    bootstrap: Bootstrap,
    prefix: Prefix = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Say which log epoch holds."""
    from app.kafka import log_epoch

    _print_epoch(
        lambda broker, codec: log_epoch.current(broker, codec, prefix), bootstrap, prefix, registry, client_config, as_json
    )


@epoch.command("raise")
def raise_epoch(
    bootstrap: Bootstrap,
    why: Annotated[str, typer.Option(help="What was recreated or cut, and why: it stays in the log.")],
    who: Annotated[str, typer.Option(help="Who decides; kept as a keyed hash.")],
    prefix: Prefix = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    as_json: Json = False,
) -> None:
    """Let the workers go on with inboxes that were recreated or cut (exit codes 73 and 78). Records that nobody had folded are
    lost: reconcile afterwards. Workers that run must be restarted."""
    from app.kafka import log_epoch
    from streams.mapping.private import keyed_hash

    hashed = keyed_hash(private_key(None, os.environ) or prefix.encode())(who)
    _print_epoch(
        lambda broker, codec: log_epoch.raise_epoch(broker, codec, prefix, time.time_ns() // 1000, hashed, why).epoch,
        bootstrap, prefix, registry, client_config, as_json,
    )  # fmt: skip


def _print_epoch(
    work: Callable[[Broker, Codec], int], bootstrap: str, prefix: str, registry: str, client_config: Path | None, as_json: bool
) -> None:
    connected = connection_of(bootstrap, prefix, registry, client_config)
    try:
        connected.broker.reach()
        found = work(connected.broker, connected.codec())
    except (BrokerUnavailable, BrokerRefused, RegistryError) as exc:
        fail(exc.code, str(exc), as_json)
    except (KafkaException, KeyError):
        fail("NO_INSTALLATION", f"{bootstrap} has no topic `{prefix}config`; check --bootstrap and --prefix", as_json)
    typer.echo(json.dumps({"log_epoch": found}) if as_json else f"log epoch {found}; start (or restart) every worker")
