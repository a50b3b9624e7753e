"""Writes recorded input into the raw partition, no faster than the stages follow."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaException, Producer

from app.kafka.broker import Broker
from app.kafka.topic_plan import MAX_BATCH_BYTES
from app.ledger.books.collector import Collector, end_offsets
from schemas.topics import inbox_of
from streams.clock import clock_of
from streams.intake.raw_headers import CONTROL_HEADER, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER
from streams.mapping import RawRecord

MAX_RAW_IN_FLIGHT, MAX_RAW_BYTES_IN_FLIGHT = 20_000, 4 << 20
"""Records that intake has not committed yet, and their bytes: the embedded broker keeps about 5 MB per partition."""
HEADER_BYTES = 64
"""About what the headers of a record take."""
CHECK_RECORDS, CHECK_BYTES = 256, 256 << 10
"""Fed between two looks at how far the stages are."""
MAX_INBOX_LAG = {"equipment": 2_000, "orders": 6_000, "lots": 6_000, "delivery": 6_000}
"""Messages per partition that a stage has not committed yet, for the same reason."""
MAX_TICKS_IN_FLIGHT = 240
PAUSE_SECONDS = 0.005
LAG_SECONDS = 0.05
STALL_SECONDS = 180.0


class RunStalled(RuntimeError):
    """Nothing moved for three minutes: a stage is stuck, or a dead one did not come back."""

    code = "RUN_STALLED"


class Feeder:
    """`upstreams`: whom orders waits for. `partitions`: of each inbox. `progress`: called with the records fed so far."""

    def __init__(
        self,
        broker: Broker,
        prefix: str,
        raw_topic: str,
        plant: str,
        step_us: int,
        collector: Collector,
        upstreams: Iterable[str],
        partitions: int,
        progress: Callable[[int, int], None],
        alive: Callable[[], None],
    ) -> None:
        self._topic, self._prefix, self._plant, self._step_us = prefix + raw_topic, prefix, plant, step_us
        self._collector, self._upstreams, self._partitions = collector, list(upstreams), partitions
        self._progress, self._alive = progress, alive
        self._producer = Producer(
            broker.client(
                compression_type="lz4",
                linger_ms=5,
                enable_idempotence=True,
                queue_buffering_max_messages=100_000,
                message_max_bytes=MAX_BATCH_BYTES,
            )
        )
        self._admin = broker.admin()
        self._inboxes = [(f"{prefix}{inbox_of(stage)}", partition) for stage in MAX_INBOX_LAG for partition in range(partitions)]
        self._failed: list[str] = []
        self._labels: deque[int] = deque()
        self._fed_bytes = self._committed_bytes = 0
        self._looks: deque[tuple[int, int]] = deque([(0, 0)])
        """Records and bytes fed when it was looked, as far as they are not committed."""
        self._lag_checked = 0.0
        self._moved = (time.monotonic(), (0, 0))
        self.fed = 0
        self.fed_of: Counter[str] = Counter()
        """Records by file."""
        self.streaming: tuple[float, int] | None = None
        """When intake's first commit was seen, and how many records it covered: the start of a speed figure."""

    def feed(self, records: Iterable[RawRecord]) -> None:
        """Everything, then the end of input. Returns when it is in the log."""
        for record in records:
            label = -(-record.received_at // self._step_us) * self._step_us
            if not self._labels or label > self._labels[-1]:
                self._labels.append(label)
                self._wait_for_clock()
            fed, size = self._looks[-1]
            if self.fed - fed >= CHECK_RECORDS or self._fed_bytes - size >= CHECK_BYTES:
                self._wait_for_stages()
            self._produce(
                record.value,
                [
                    (SOURCE_HEADER, record.source.encode()),
                    (POSITION_HEADER, f"{record.raw_source}:{record.raw_offset}".encode()),
                    (RECEIVED_HEADER, b"%d" % record.received_at),
                ],
            )
            self.fed += 1
            self.fed_of[record.raw_source] += 1
            self._fed_bytes += len(record.value) + HEADER_BYTES
        self._produce(b"", [(CONTROL_HEADER, b"end")])
        if self._producer.flush(60) or self._failed:
            raise KafkaException(f"raw records could not be written: {self._failed[:1]}")
        self._progress(self.fed, self.clock())

    def clock(self) -> int:
        """The slowest orders clock of the plant, committed; 0 until every partition has spoken."""
        positions = self._collector.positions("orders")
        if len(positions) < self._partitions:
            return 0
        return min(clock_of(state, self._plant, self._upstreams) for state in positions.values())

    def _produce(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, partition=0, headers=headers, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def _delivered(self, error: object, message: object) -> None:
        if error is not None:
            self._failed.append(str(error))

    def _wait_for_clock(self) -> None:
        """Pause while the slowest orders clock is many ticks behind."""
        while True:
            clock = self.clock()
            while self._labels and self._labels[0] <= clock:
                self._labels.popleft()
            if len(self._labels) <= MAX_TICKS_IN_FLIGHT:
                return
            self._pause()

    def _wait_for_stages(self) -> None:
        self._producer.poll(0)
        self._looks.append((self.fed, self._fed_bytes))
        while self._raw_in_flight() or self._lagging():
            self._pause()

    def _raw_in_flight(self) -> bool:
        """More than intake may have before it."""
        position = self._collector.positions("intake").get(0)
        committed = position.next_offset if position is not None else 0
        if committed and self.streaming is None:
            self.streaming = (time.monotonic(), committed)
        while len(self._looks) > 1 and self._looks[0][0] <= committed:
            self._committed_bytes = self._looks.popleft()[1]
        records, size = self.fed - committed, self._fed_bytes - self._committed_bytes
        return records > MAX_RAW_IN_FLIGHT or size > MAX_RAW_BYTES_IN_FLIGHT

    def _lagging(self) -> bool:
        now = time.monotonic()
        if now - self._lag_checked < LAG_SECONDS:
            return False
        self._lag_checked = now
        ends = end_offsets(self._admin, self._inboxes)
        return any(self._lag(stage, ends) > most for stage, most in MAX_INBOX_LAG.items())

    def _lag(self, stage: str, ends: dict[tuple[str, int], int]) -> int:
        topic, positions = f"{self._prefix}{inbox_of(stage)}", self._collector.positions(stage)
        folded = {partition: state.next_offset for partition, state in positions.items()}
        return max(end - folded.get(partition, 0) for (name, partition), end in ends.items() if name == topic)

    def _pause(self) -> None:
        self._producer.poll(PAUSE_SECONDS)
        self._lag_checked = 0.0
        self._raw_in_flight()  # `streaming`, also while the clock or the stages are waited for
        self._collector.check()
        self._alive()
        self._progress(self.fed, self.clock())
        self.check_movement("the stages do not follow the input")

    def check_movement(self, waits_for: str) -> None:
        """Raises RunStalled when neither positions nor clocks moved for STALL_SECONDS. `waits_for`: what is missing, in words."""
        offsets = sum(
            state.next_offset for stage in ("intake", *MAX_INBOX_LAG) for state in self._collector.positions(stage).values()
        )
        seen = (offsets, self.fed)
        since, known = self._moved
        if seen != known:
            self._moved = (time.monotonic(), seen)
        elif time.monotonic() - since > STALL_SECONDS:
            raise RunStalled(f"no stage moved for {STALL_SECONDS:.0f} s: {waits_for}; the workers' logs are in the output folder")
