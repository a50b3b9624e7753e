"""How a command is told where Kafka and the registry are: by installation.yaml, or by options. Each command that connects has
the same options, and the same environment variables; what one of them says holds before the document."""

import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import fail

if TYPE_CHECKING:
    from app.configuration import InstallationFile
    from app.kafka.connection import Connection

InstallationPath = Annotated[
    Path | None,
    typer.Option(
        "--installation",
        "-f",
        help="installation.yaml: brokers, registry, prefix, partition counts, plants. Options hold before it.",
        envvar="LINELEDGER_INSTALLATION",
    ),
]

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
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


@dataclass(slots=True, frozen=True)
class Installed:
    """The installation that a command was told, options before the document."""

    document: "InstallationFile"
    connection: "Connection"

    @property
    def prefix(self) -> str:
        return self.connection.prefix


def installed(
    installation: Path | None,
    bootstrap: str = "",
    prefix: str = "",
    registry: str = "",
    client_config: Path | None = None,
    *,
    embedded: bool = False,
    as_json: bool = False,
    with_registry: bool = True,
) -> Installed:
    """`with_registry` False: the command asks no registry, so it needs none of its secrets, and its connection has none.

    Raises InstallationInvalid, Refusal SECRET_MISSING. Ends the command with exit 2 where the rest cannot be followed.
    """
    from app.configuration import InstallationFile, load_installation
    from app.kafka.registry import Registry
    from app.secret import read_secret, variable_of
    from tables.refusal import RefusedValue

    document = InstallationFile() if installation is None else load_installation(installation)
    stated = document.content
    user = ""
    asked = with_registry and not embedded
    if asked and stated.registry.secret:
        user = read_secret(stated.registry.secret, os.environ) or ""
        if not user:
            name = variable_of(stated.registry.secret)
            raise RefusedValue("SECRET_MISSING", f"secret `{stated.registry.secret}` is not set: {name}, or {name}_FILE")
    connected = connection_of(
        bootstrap or ",".join(stated.kafka.bootstrap),
        prefix or stated.prefix,
        registry or stated.registry.url,
        client_config or document.client_config,
        embedded=embedded,
        registry_user=user,
        as_json=as_json,
    )
    return Installed(document, connected if asked else replace(connected, registry=Registry()))


def on_broker(found: Installed) -> Installed:
    """The same, for what needs a broker. Ends the command where none was named."""
    if not found.connection.broker.bootstrap:
        fail("BOOTSTRAP_MISSING", "name the brokers: --bootstrap, LINELEDGER_BOOTSTRAP, or kafka.bootstrap of installation.yaml")
    return found


def on_registry(found: Installed, as_json: bool = False) -> Installed:
    """The same, for what needs a schema registry."""
    if not found.connection.registry.url:
        there = "--registry, LINELEDGER_REGISTRY, registry.url of installation.yaml, or schema.registry.url of --client-config"
        fail("REGISTRY_MISSING", f"name the schema registry: {there}", as_json)
    return found


def typed(
    found: Installed, installation: Path | None, bootstrap: str = "", prefix: str = "", client_config: Path | None = None
) -> str:
    """The options with which another command means the same installation: what was typed, or what the environment said."""
    told = {"-f": str(installation or ""), "--bootstrap": bootstrap, "--prefix": prefix}
    if installation is None:
        told |= {"--bootstrap": found.connection.broker.bootstrap, "--prefix": found.prefix}
    told["--client-config"] = str(client_config or "")
    return shlex.join(word for option, value in told.items() if value for word in (option, value))


def connection_of(
    bootstrap: str,
    prefix: str = "",
    registry: str = "",
    client_config: Path | None = None,
    *,
    embedded: bool = False,
    registry_user: str = "",
    as_json: bool = False,
) -> "Connection":
    """The connection of these options. Ends the command with exit 2 where they say something that cannot be followed."""
    from app.kafka.broker import Broker
    from app.kafka.connection import Connection, ConnectionInvalid, connection
    from app.kafka.registry import RegistryUrlInvalid

    try:
        if embedded:
            return Connection(Broker(bootstrap, embedded=True), prefix)
        return connection(bootstrap, prefix, registry, client_config, registry_user)
    except FileNotFoundError as wrong:
        fail("CLIENT_CONFIG_INVALID", f"{wrong.filename} does not exist", as_json)
    except (ConnectionInvalid, RegistryUrlInvalid) as wrong:
        fail(wrong.code, str(wrong), as_json)
