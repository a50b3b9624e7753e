"""What `lineledger run` was asked, and what a machine that ran it leaves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from app.erp.telemetry_check import SeenTelemetry
from app.inputs.input_files import InputFile
from app.inputs.recorded_input import RecordedInput
from app.kafka.connection import Connection
from app.run.resume import Asked
from schemas.catalog import Catalog, catalog
from schemas.configuration import Configuration
from schemas.records import PostingRow
from tables.delivery.posting_state import REPORTED


@dataclass(slots=True)
class RunRequest:
    """`connection`: of a real Kafka; None: all stages in this process, or with `embedded` worker processes on a broker that lives
    as long as the run. `client_config`: the file for its workers."""

    configuration: Configuration
    config_dir: Path
    files: Sequence[InputFile]
    out: Path
    home: Path
    connection: Connection | None = None
    embedded: bool = False
    client_config: Path | None = None
    installation: Path | None = None
    """The document for its workers, whose counts of partitions `catalog` has."""
    catalog: Catalog = field(default_factory=catalog)
    workers: int = 1
    erp: str = ""
    keep_topics: bool = False
    refused_at_most: Fraction = Fraction(1)
    """Share of an input's records; with more refused the run is not exact."""
    provision: Sequence[InputFile] = ()
    """What an ERP that the run starts is filled from; empty: from `files`."""
    checkpoint: Path | None = None
    """Folder from which a run in memory goes on when it was stopped or died; None: it does not."""
    asked: Asked | None = None
    """Noted there; with None the run is one that is not begun on a command line."""
    resume: bool = False
    """Go on with the run of that folder."""
    between_turns: Callable[[], AbstractContextManager[object]] = nullcontext
    """Within it a signal to stop waits for the next progress, where nothing is on its way."""
    progress: Callable[[str, int, int], None] = lambda phase, records, clock: None
    reading: Callable[[RecordedInput, int], None] = lambda read, known: None
    """Told what the records come from, and how many of them an earlier process had folded."""
    started: Callable[[dict[str, list[int]]], None] = lambda pids: None


@dataclass(slots=True, frozen=True)
class Ran:
    """What is left when everything is drained."""

    rows: Mapping[str, Mapping[bytes, bytes]]
    """As in the changelogs, by stage."""
    letters: Sequence[bytes]
    fed: Mapping[str, int]
    """Raw records by raw source."""
    rate: float
    """Raw records per second, without the start of processes."""
    restarts: int
    seen: SeenTelemetry


def on_their_way(configuration: Configuration, rows: Iterable[PostingRow]) -> int:
    """Postings that the ERP may still get. Held and parked ones wait for somebody; without an ERP, or in shadow, all stay."""
    if configuration.erp.erp.entry is None or configuration.plant.shadow:
        return 0
    return sum(row.state not in REPORTED for row in rows)
