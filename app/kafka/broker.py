"""Where Kafka is, what its clients must show, and what they hear from it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

LINE_SECONDS = 1.0
"""A broker that is away costs at most one log line in this time, however many clients of the process try again."""
REACH_SECONDS, ATTEMPT_SECONDS = 15.0, 2.0
_REFUSALS = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED})
_ALERT = "SSL routines"
"""In what librdkafka says when the other side ended the handshake: no client certificate, or one of a stranger."""
_LOG = logging.getLogger("kafka")


class BrokerUnavailable(RuntimeError):
    """No broker answered, or it refused the request (rights, replication above the number of brokers). Nothing to dead-letter."""

    code = "BROKER_UNAVAILABLE"


class BrokerRefused(RuntimeError):
    """The broker is there and does not let this program in: password, certificate, or whom it trusts."""

    code = "BROKER_AUTH"


class Hearing:
    """What the clients of one process hear about their connections. librdkafka says only here that a broker refuses it: its
    calls just time out."""

    def __init__(self) -> None:
        self.refusal = ""
        """The broker's (or TLS's) words when it last refused a client; empty: it did not."""
        self.muted = False
        """While somebody asks whether the broker is there: who asks says how it ended, in one sentence."""
        self._told_at = float("-inf")

    def __call__(self, error: KafkaError) -> None:
        """librdkafka's error_cb."""
        if error.code() in _REFUSALS or _ALERT in error.str():
            self.refusal = error.str()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            return  # follows the cause, and says less
        now = time.monotonic()
        if not self.muted and now - self._told_at >= LINE_SECONDS:
            self._told_at = now
            _LOG.warning("%s: %s", error.name(), error.str())


@dataclass(slots=True, frozen=True)
class Broker:
    """Where Kafka is and how this installation's clients talk to it. Every one of them is made from this."""

    bootstrap: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    """librdkafka settings for TLS and SASL; Faust's client is derived from the same (app/engine/credentials.py)."""
    embedded: bool = False
    """librdkafka's mock cluster: accepts transactions but neither fences nor aborts, and has no topic ids."""
    hearing: Hearing = field(default_factory=Hearing, compare=False, repr=False)

    def client(self, **extra: Any) -> dict[str, Any]:
        """Settings of a librdkafka client; `extra` with _ for each dot."""
        # The embedded broker's clients would tell how it ended with its run, and it has no other way to make a topic. On a real
        # one a topic is made by `topics apply`: one that comes by asking for it has the broker's own settings.
        told = {} if self.embedded else {"error_cb": self.hearing, "allow.auto.create.topics": False}
        return {
            "bootstrap.servers": self.bootstrap,
            "log_level": 0,  # `hearing` tells
            **told,
            **self.security,
            **{k.replace("_", "."): v for k, v in extra.items()},
        }

    def admin(self) -> AdminClient:
        """An admin client. Connects on first use."""
        return AdminClient(self.client())

    def reach(self, within: float = 0.0) -> None:
        """One answer of the broker, `within` seconds (0: REACH_SECONDS).

        Raises BrokerRefused as soon as it is clear that it lets nobody in, BrokerUnavailable when no answer came in time.
        """
        within = within or REACH_SECONDS
        admin, deadline = self.admin(), time.monotonic() + within
        self.hearing.muted = True
        try:
            while not self._answers(admin, min(ATTEMPT_SECONDS, within), deadline):
                pass
        finally:
            self.hearing.muted = False

    def _answers(self, admin: AdminClient, timeout: float, deadline: float) -> bool:
        try:
            admin.list_topics("__none__", timeout=timeout)
        except KafkaException as exc:
            admin.poll(0)  # calls `hearing`
            if self.hearing.refusal:
                raise BrokerRefused(f"{self.bootstrap}: {self.hearing.refusal}") from exc
            if time.monotonic() > deadline:
                said = exc.args[0].str() if isinstance(exc.args[0], KafkaError) else exc
                raise BrokerUnavailable(f"{self.bootstrap}: {said}") from exc
            return False
        return True
