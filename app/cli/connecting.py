"""How a command is told where Kafka and the registry are. Each command that connects has the same options, and the same
environment variables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import fail

if TYPE_CHECKING:
    from app.kafka.connection import Connection

Bootstrap = Annotated[str, typer.Option(help="Kafka bootstrap servers, host:port[,host:port].", envvar="LINELEDGER_BOOTSTRAP")]
Prefix = Annotated[
    str, typer.Option(help="Put before every topic name as it stands, for example 'prod.'.", envvar="LINELEDGER_PREFIX")
]
RegistryUrl = Annotated[
    str, typer.Option("--registry", help="Address of a Confluent-compatible schema registry.", envvar="LINELEDGER_REGISTRY")
]
ClientConfig = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="File of key=value settings: librdkafka's for TLS and SASL, schema.registry.* for the registry.",
        envvar="LINELEDGER_CLIENT_CONFIG",
    ),
]


def connection_of(
    bootstrap: str, prefix: str = "", registry: str = "", client_config: Path | None = None, *, embedded: bool = False
) -> "Connection":
    """The connection of these options. Ends the command with exit 2 where they say something that cannot be followed."""
    from app.kafka.broker import Broker
    from app.kafka.connection import Connection, ConnectionInvalid, connection
    from app.kafka.registry import RegistryUrlInvalid

    try:
        if embedded:
            return Connection(Broker(bootstrap, embedded=True), prefix)
        return connection(bootstrap, prefix, registry, client_config)
    except (ConnectionInvalid, RegistryUrlInvalid) as wrong:
        fail(wrong.code, str(wrong))
