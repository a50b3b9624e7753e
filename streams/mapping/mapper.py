"""What maps the raw records of one source: by the rules of plant.yaml (rule_mapper.py), or by a format's own (operators.py)."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from schemas.configuration.mapping import Read, Source
from streams.mapping.envelope import LatestTime
from streams.mapping.items import Mapped, RawRecord


class Mapper(ABC):
    """Maps the raw records of one source. `map` and `arrival` never raise, for any bytes.

    `ignored` counts records and pairs that a rule ignores. `clock.latest` is the running maximum of `occurred_at`
    that `received_at: running_max` reads; it is the only state.
    """

    def __init__(self, name: str, source: Source, clock: LatestTime, columns: Collection[str] = ()) -> None:
        """`columns`: names of csv columns that plant.yaml reads."""
        self.name, self.clock, self.columns, self.ignored = name, clock, columns, 0
        self._source = source

    @property
    def read(self) -> Read:
        """How the source's records are read."""
        return self._source.read

    @property
    def files(self) -> Sequence[str]:
        """Globs of the names of the source's files; none: any."""
        return self._source.files

    @abstractmethod
    def map(self, raw: RawRecord) -> Mapped:
        """The events, readings and refusals of one raw record, in its own order; empty when all of it is ignored."""

    @abstractmethod
    def arrival(self, raw: RawRecord) -> int | None:
        """When this record says that it reached the pipeline's edge, in microseconds, without mapping it: its received_at,
        with running_max its occurred_at. None: it does not say, or cannot be read."""

    @abstractmethod
    def redacted(self, value: bytes) -> bytes:
        """The raw bytes as they may be written anywhere: private values hashed. Equal to `value` without private
        fields; mapping the result gives the same events (but another id where ids are made from content)."""
