"""Where the ledger is that somebody asks about: in the folder of a run, or in a live installation. Each command that asks has the
same options for it."""

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from app.cli.connecting import installed
from app.cli.failures import fail
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.metadata import TopicMissing, partitions_of
from app.ledger.books import live, snapshot
from app.ledger.books.folder import DEFAULT_OUT
from app.ledger.books.sources import FileSources, Sources
from app.secret import private_key
from schemas.catalog import Catalog, catalog

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Where:
    """The answers to the options. `connection` without a broker: the folder `out` of a run."""

    out: Path
    connection: Connection
    plant: str
    catalog: Catalog = field(default_factory=catalog)
    """With the counts that the installation's document states."""
    endpoints: Mapping[str, int] = field(default_factory=dict)
    """Of the document, ERP endpoint -> partition of delivery; empty: none was named, so nothing is known of them here."""

    @property
    def live(self) -> bool:
        return bool(self.broker.bootstrap)

    @property
    def prefix(self) -> str:
        return self.connection.prefix

    @property
    def broker(self) -> Broker:
        return self.connection.broker

    def read(self, wait_s: float = 0.0) -> snapshot.Snapshot:
        """The ledger now; of a live installation, if it comes within `wait_s`, at a moment that all partitions share.
        Raises what `app.cli.failures` knows where there is none."""
        if not self.live:
            return snapshot.read(self.out)
        connected = self.connection
        connected.broker.reach()
        return live.read(connected.broker, connected.codec(), self.prefix, self.plant, wait_s)

    @contextlib.contextmanager
    def opened(self) -> Iterator[snapshot.Snapshot]:
        """The same for a question that needs few rows: those of a run are read when it asks for them. Raises the same, and in the
        question, too."""
        if self.live:
            yield self.read()
            return
        from app.ledger.books import on_disk

        with on_disk.opened(self.out) as rows:
            yield rows

    def sources(self, rows: snapshot.Snapshot) -> Sources:
        """The raw records that `rows` were made of."""
        key = private_key(rows.configuration.plant, os.environ)
        if self.live:
            from app.kafka.configurations import Configurations
            from app.ledger.books.topic_sources import TopicSources
            from app.topology import InstalledTopology

            connected = self.connection
            codec = connected.codec()
            installation = InstalledTopology(Configurations(connected.broker, codec, self.prefix), False, self._counts())
            waits_for = partial(installation.upstreams, "equipment")
            return TopicSources(connected.broker, codec, self.prefix, rows.configuration, key, waits_for)
        return FileSources(self.out, key)

    def _counts(self) -> Callable[[str], int]:
        """Partitions of a topic, of the broker. Of one that is not there as many as workers wait for, and a line that
        says so: what it once had is in no answer."""
        admin = self.broker.admin()

        @functools.cache
        def count(topic: str) -> int:
            try:
                return len(partitions_of(admin, self.prefix + topic))
            except TopicMissing as missing:
                said = f"there is no topic {self.prefix}{topic}, nothing of it is here; `lineledger topics plan` shows all"
                typer.echo(f"{missing.code}: {said}", err=True)
                return self.catalog.partitions(topic)

        return count


def _option(name: str, kind: Any, default: Any, *declared: str, says: str) -> Parameter:
    variable = None if name == "out" else f"LINELEDGER_{name.upper()}"
    annotation = Annotated[kind, typer.Option(*declared, help=says, envvar=variable)]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_OPTIONS = (
    _option("out", Path | None, None, "--out", says=f"Output folder of `lineledger run`; without: `{DEFAULT_OUT}`."),
    _option("installation", Path | None, None, "--installation", "-f", says="installation.yaml of a live installation."),
    _option("bootstrap", str, "", says="Kafka of a live installation; without: the folder of a run."),
    _option("prefix", str, "", says="The installation's topic prefix."),
    _option("registry", str, "", says="Its schema registry."),
    _option("client_config", Path | None, None, says="File with librdkafka settings (TLS, SASL)."),
    _option("plant", str, "", says="Of a live installation: which plant; without: the only one."),
)


def _where(out: Path | None, plant: str, **told: Any) -> Where:
    """A run or an installation. Who types --out means the run, whatever the environment says for other questions."""
    if out is None:
        found = installed(**told)
        content = found.document.content
        return Where(DEFAULT_OUT, found.connection, plant, content.catalog(), content.endpoints if told["installation"] else {})
    for name in ("bootstrap", "installation"):
        if told[name] and str(told[name]) != os.environ.get(f"LINELEDGER_{name.upper()}"):
            fail("WRONG_USE", f"--out is of a run, --{name} of a live installation: give one of them")
    return Where(out, Connection(Broker("")), plant)


def asks_where(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes `where: Where`, with the options that make one in its place."""
    hints = get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name], kind=Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "where"
    ]
    parameters = [*own, *_OPTIONS]

    @functools.wraps(command)
    def asking(**given: Any) -> None:
        told = {option.name: given.pop(option.name) for option in _OPTIONS}
        command(where=_where(**told), **given)

    del asking.__wrapped__  # its signature is not the one to show
    asking.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    asking.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return asking


def asked(work: Callable[[], T]) -> T:
    """The answer, or one sentence and exit 2 where the ERP does not give it."""
    from app.erp.port import ErpUnavailable

    try:
        return work()
    except ErpUnavailable as error:
        fail(error.code, f"the ERP does not answer ({error.detail}); ask again, or unset its address to leave it out")
