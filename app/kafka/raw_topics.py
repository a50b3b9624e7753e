"""What a worker demands of raw topics before it reads them: the broker's append time is the clock of the plant."""

from collections.abc import Iterable

from confluent_kafka.admin import ConfigResource, ResourceType

from app.fatal import Exit, die
from app.kafka.broker import Broker

SETTING, WANTED = "message.timestamp.type", "LogAppendTime"
REQUEST_SECONDS = 15.0


def require_append_time(broker: Broker, topics: Iterable[str]) -> None:
    """Full names. Ends the process (APPEND_TIME_MISSING): with times that producers state, one wrong clock would close every
    shift. Raises KafkaException when the broker does not answer."""
    admin = broker.admin()
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    for resource, future in admin.describe_configs(resources, request_timeout=REQUEST_SECONDS).items():
        found = future.result(REQUEST_SECONDS)[SETTING].value
        if found != WANTED:
            die(
                Exit.APPEND_TIME_MISSING,
                f"{resource.name} has {SETTING}={found}; `kafka-configs --alter --topic {resource.name} "
                f"--add-config {SETTING}={WANTED}`, then start again",
            )
