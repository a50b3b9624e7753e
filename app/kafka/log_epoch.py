"""The log epoch: raised by an operator after inboxes were recreated or cut on purpose, read by every worker before it starts.

Versions begin with it (docs/architecture.md, Rules that all folds keep), so that what is sent from a new log is
newer than all from the old one. It is kept in the topic `config`, which is never deleted.
"""

from app.kafka.broker import Broker
from app.kafka.configurations import TOPIC, Configurations
from app.kafka.writing import write
from schemas.codec import Codec
from schemas.records import LogEpoch

FIRST = 1
KEY = "log-epoch"


def current(broker: Broker, codec: Codec, prefix: str) -> int:
    """1 until somebody raises it."""
    return max((record.epoch for record in Configurations(broker, codec, prefix).epochs()), default=FIRST)


def raise_epoch(broker: Broker, codec: Codec, prefix: str, at: int, who: str, why: str) -> LogEpoch:
    """The next one, stored. `at`: microseconds. Raises KafkaException."""
    raised = LogEpoch(current(broker, codec, prefix) + 1, at, who, why)
    write(broker, prefix + TOPIC, [(KEY, codec.encode(raised))])
    return raised
