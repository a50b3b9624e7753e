"""`lineledger trace | parked | variance | exceptions | reconcile | shadow`: questions to the ledger of a run or an installation.

Exit codes: 0 fine, 1 something differs, is unknown or has expired, 2 wrong use or no ledger.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from app.engine.partition import Broker
from app.ledger import erp_book, erp_check, live, snapshot
from app.ledger.erp_book import ErpBook
from app.ledger.inputs import SourceExpired
from app.ledger.listing import exception_lines, parked_lines
from app.ledger.reconciliation.everything import Reconciliation
from app.ledger.reconciliation.everything import reconcile as reconciled
from app.ledger.sources import FileSources, Sources
from app.ledger.trace_things import trace as traced
from app.ledger.variance import as_json as as_dicts
from app.ledger.variance import lines_of, variances
from app.settings import private_key
from tables.rejected import Refusal

OK, WRONG, USAGE = 0, 1, 2
Out = Annotated[Path, typer.Option("--out", help="Output folder of `lineledger run`.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka of a live installation; without: the folder of a run.")]
Prefix = Annotated[str, typer.Option(help="The installation's topic prefix.")]
Registry = Annotated[str, typer.Option(help="Its schema registry.")]
ClientConfig = Annotated[Path | None, typer.Option(help="File with librdkafka settings (TLS, SASL).")]
Plant = Annotated[str, typer.Option(help="Of a live installation: which plant; without: the only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
DEFAULT_OUT = Path("out")
LOOKS, PAUSE_SECONDS = 6, 3.0
"""Of a live installation: a difference counts only when it stands through all looks; else it was on its way."""
T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Ledger:
    """Where to read, and reading it. Made by `ledger_of`."""

    read: Callable[[], snapshot.Snapshot]
    sources: Callable[[snapshot.Snapshot], Sources]
    out: Path | None


def trace(
    what: Annotated[str, typer.Argument(help="Posting id, order, lot (LOT or MATERIAL|LOT), or equipment.")],
    at: Annotated[str, typer.Option(help="Of an equipment: the moment, ISO 8601; without: its newest.")] = "",
    out: Out = DEFAULT_OUT,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    as_json: AsJson = False,
) -> None:
    """Why a posting is what it is: its raw records are read and added again. Exit 1: unknown, does not add up, or expired."""
    ledger = ledger_of(out, bootstrap, prefix, registry, client_config, plant)
    rows = asked(ledger.read)
    found, lines = traced(rows, what, at, ledger.sources(rows))
    _print(found, lines, as_json)
    raise typer.Exit(OK if found.get("ok") else WRONG)


def parked(
    account: Annotated[str, typer.Option(help="One account.")] = "",
    out: Out = DEFAULT_OUT,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    as_json: AsJson = False,
) -> None:
    """What is parked, why, and who must act."""
    found, lines = parked_lines(asked(ledger_of(out, bootstrap, prefix, registry, client_config, plant).read), account)
    _print(found, lines, as_json)


def variance(
    out: Out = DEFAULT_OUT,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    as_json: AsJson = False,
) -> None:
    """What counters and declarations say about the same quantity, those that differ first. Only the authority's is booked."""
    found = variances(asked(ledger_of(out, bootstrap, prefix, registry, client_config, plant).read))
    _print(as_dicts(found), lines_of(found), as_json)


def shadow(
    out: Out = DEFAULT_OUT,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the ERP now, not what it answered at the end of the run.")] = False,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    as_json: AsJson = False,
) -> None:
    """Explain each difference between what the ledger would have posted and what another interface booked (plants with
    `shadow: true`). Exit 1: there are differences."""
    from app.ledger import shadow as comparison

    ledger = ledger_of(out, bootstrap, prefix, registry, client_config, plant)
    rows = asked(ledger.read)
    book = asked(lambda: _asked_now(rows) if ask else _book(ledger, rows))
    if book is None:
        _fail("no ERP was asked; give --ask, with an adapter in erp.yaml and its address in the environment")
    found = comparison.compare_shadow(rows, book)
    _print(comparison.as_json(found), comparison.lines_of(found), as_json)
    raise typer.Exit(WRONG if found.differences else OK)


exceptions = typer.Typer(invoke_without_command=True, help="Records that could not be processed: list them, replay them.")


@exceptions.callback()
def listed(
    asked_for: typer.Context,
    code: Annotated[str, typer.Option(help="One code.")] = "",
    out: Out = DEFAULT_OUT,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    as_json: AsJson = False,
) -> None:
    """Records that could not be processed, with code, position and original."""
    if asked_for.invoked_subcommand is not None:
        return
    found, lines = exception_lines(asked(ledger_of(out, bootstrap, prefix, registry, client_config, plant).read), code)
    _print(found, lines, as_json)


def reconcile(
    out: Out = DEFAULT_OUT,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: Registry = "",
    client_config: ClientConfig = None,
    plant: Plant = "",
    sources: Annotated[
        bool, typer.Option("--sources", help="Read all source records again, too, and add up every posting.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove again that nothing is lost (I1), each record counts once (I2), and that the ERP has booked exactly this, once (I3:
    of a run, what it answered at the end; of a live installation, what it answers now if its address is in the environment).
    Exit 1: something differs."""
    ledger = ledger_of(out, bootstrap, prefix, registry, client_config, plant)
    try:
        found = asked(lambda: _reconciled(ledger, sources))
    except SourceExpired as gone:
        _print({"exact": False, "code": gone.code, "detail": str(gone)}, [f"{gone.code}: {gone}"], as_json)
        raise typer.Exit(WRONG) from None
    lines = [f"{kind} {unit}: recorded {entry.recorded}" for (kind, unit), entry in sorted(found.proof.balances.items())]
    lines += [f"differs: {difference}" for difference in found.differences]
    lines += erp_check.lines_of(found.erp)
    if found.re_added is not None:
        lines.append(f"{found.re_added} postings: source records re-read and re-added")
    lines.append("EXACT" if found.exact else f"NOT EXACT: {len(found.differences)} differences")
    answer = {"exact": found.exact, "differences": found.differences, "erp": found.erp, "re_added": found.re_added}
    _print(answer, lines, as_json)
    raise typer.Exit(OK if found.exact else WRONG)


def _reconciled(ledger: Ledger, with_sources: bool) -> Reconciliation:
    """A run is looked at once. Of a live installation what is on its way between stages differs for a moment: what does not
    stand in every look is no difference."""
    found = _look(ledger, with_sources)
    for _ in range(LOOKS - 1 if ledger.out is None else 0):
        if found.exact:
            break
        time.sleep(PAUSE_SECONDS)
        again = _look(ledger, with_sources)
        again.differences = [sentence for sentence in again.differences if sentence in found.differences]
        found = again
    return found


def _look(ledger: Ledger, with_sources: bool) -> Reconciliation:
    rows = ledger.read()
    return reconciled(rows, _book(ledger, rows), ledger.sources(rows) if with_sources else None)


def _book(ledger: Ledger, rows: snapshot.Snapshot) -> ErpBook | None:
    """Of a run what the ERP answered at its end; of a live installation what it answers now."""
    return erp_book.read(ledger.out) if ledger.out is not None else _asked_now(rows)


def _asked_now(rows: snapshot.Snapshot) -> ErpBook | None:
    try:
        return erp_book.ask(rows.configuration.erp, erp_check.orders_of(rows, rows.configuration.erp), os.environ)
    except Refusal as unset:
        typer.echo(f"the ERP is not asked: {unset.rejected.detail}", err=True)
        return None


def ledger_of(out: Path, bootstrap: str, prefix: str, registry: str, client_config: Path | None, plant: str) -> Ledger:
    if not bootstrap:
        return Ledger(lambda: snapshot.read(out), lambda rows: FileSources(out, private_key()), out)
    from app.cli.topics import client_properties
    from app.cli.worker import codec_of

    broker = Broker(bootstrap, client_properties(client_config))
    codec = codec_of(registry, prefix)
    return Ledger(
        lambda: live.read(broker, codec, prefix, plant),
        lambda rows: live.TopicSources(broker, prefix, rows.configuration, private_key()),
        None,
    )


def asked(work: Callable[[], T]) -> T:
    """The answer, or one sentence and exit 2 where there is no ledger."""
    from confluent_kafka import KafkaException

    from app.erp.tryton import ErpUnavailable
    from app.run.collector import LedgerTrimmed

    try:
        return work()
    except FileNotFoundError as error:
        _fail(str(error))
    except (live.NoInstallation, LedgerTrimmed) as error:
        _fail(f"{error.code}: {error}")
    except KafkaException as error:
        _fail(f"the broker does not answer ({error.args[0]}); check --bootstrap and --client-config")
    except ErpUnavailable as error:
        _fail(f"the ERP does not answer ({error}); ask again, or unset its address to leave it out")


def _print(found: Any, lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else "\n".join(lines))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(USAGE)
