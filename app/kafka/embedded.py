"""The embedded broker: librdkafka's mock cluster inside this process, for demos and tests that need nothing but Python."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaException, Producer

EMBEDDED_PARTITIONS = 4
KEPT_BYTES_PER_PARTITION = 5 << 20
_METADATA_TIMEOUT_S = 5.0


class EmbeddedUnavailable(RuntimeError):
    """The mock cluster did not answer in time."""

    code = "EMBEDDED_UNAVAILABLE"


class EmbeddedBroker:
    """A broker that lives as long as this context; clients of any process on this machine connect to `.bootstrap`.

    What it is NOT:
    - durable: nothing survives the process;
    - compacting: a changelog keeps every version of a row;
    - fenced: transactions are accepted but neither fence a second producer nor abort, so no partition may ever have
      a second owner and nothing may ever be aborted;
    - isolated: what a transaction wrote is read before it ends, one partition earlier than another; so what answers to a
      message can overtake another message of the same transaction;
    - bounded by an error: it keeps about 5 MB per partition (KEPT_BYTES_PER_PARTITION) and then silently trims; who reads has to
      notice (the feeder's limits, INBOX_TRUNCATED, LEDGER_TRIMMED);
    - configurable: every topic has EMBEDDED_PARTITIONS partitions, the admin API (create, describe) does not work and a topic
      is made by asking for its metadata (`touch`).
    """

    def __init__(self, brokers: int = 1) -> None:
        self._brokers = brokers
        self._cluster: Any = None
        self.bootstrap = ""
        """host:port list; empty outside the context."""

    def __enter__(self) -> "EmbeddedBroker":
        # The mock cluster belongs to this one client and ends with it. log_level 0: it announces itself on stderr otherwise.
        self._cluster = Producer({"test.mock.num.brokers": self._brokers, "bootstrap.servers": "mock", "log_level": 0})
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in self._metadata().brokers.values())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._cluster = None
        self.bootstrap = ""

    def touch(self, topics: Iterable[str]) -> None:
        """Make the topics that do not exist yet; returns when each has its partitions. Raises EmbeddedUnavailable (5 s each)."""
        for topic in topics:
            deadline = time.monotonic() + _METADATA_TIMEOUT_S
            while not self._exists(topic):
                if time.monotonic() > deadline:
                    raise EmbeddedUnavailable(f"{topic} was not made within {_METADATA_TIMEOUT_S} s")
                time.sleep(0.01)

    def _exists(self, topic: str) -> bool:
        found = self._metadata(topic).topics[topic]
        return found.error is None and len(found.partitions) == EMBEDDED_PARTITIONS

    def _metadata(self, *topic: str) -> Any:
        if self._cluster is None:
            raise RuntimeError("the embedded broker is not running: use it as a context manager")
        try:
            return self._cluster.list_topics(*topic, timeout=_METADATA_TIMEOUT_S)
        except KafkaException as exc:
            raise EmbeddedUnavailable(str(exc)) from exc
