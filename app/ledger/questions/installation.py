"""What `lineledger status` looks at: the ends of changelogs, consumer groups, and the rows of orders and delivery."""

import time
from collections.abc import Mapping

from app.books.lag import lag_of_books
from app.engine.rows import POSITION_KEY
from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.groups import members_of
from app.ledger.books.collector import Collector, end_offsets
from app.ledger.books.letters import open_letters, sorted_out
from app.ledger.books.live import STAGES, NoInstallation, in_force, of_plant, plants_of
from app.ledger.books.snapshot import Snapshot
from app.ledger.books.topic_log import TopicLog
from app.ledger.questions.needs import of_orders
from app.ledger.questions.status import SeenInstallation
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import EndpointRow, PartitionPosition
from schemas.topics import changelog_of, inbox_of
from tables.row_kinds import ACCOUNT_ROWS, ENDPOINT_ROWS, POSTING_ROWS

REQUEST_SECONDS = 10.0
TAIL = 64
"""Rows at the end of a changelog among which its newest `__position` is looked for first: each transaction ends with one."""


class StatusIncomplete(TimeoutError):
    """Something was not read in time. What is there says which."""

    code = "STATUS_INCOMPLETE"


def look(broker: Broker, codec: Codec, prefix: str, seconds: float, places: Mapping[str, int]) -> SeenInstallation:
    """`places`: ERP endpoint -> partition of delivery's inbox. Raises NoInstallation, StatusIncomplete after `seconds`,
    KafkaException when the broker does not answer."""
    deadline = time.monotonic() + seconds
    admin = broker.admin()
    found = admin.list_topics(timeout=min(REQUEST_SECONDS, seconds)).topics
    partitions = {name.removeprefix(prefix): len(topic.partitions) for name, topic in found.items() if name.startswith(prefix)}
    stages = _stages(partitions)
    if not {*STAGES} <= stages.keys():
        raise NoInstallation(f"{broker.bootstrap} has no lineledger topics under the prefix `{prefix}`; check --prefix")
    with TopicLog(broker, prefix) as log:
        positions = {name: _positions(log, codec, name, deadline) for name in stages}
    inboxes = [(prefix + topic, partition) for topic in stages.values() for partition in range(partitions[topic])]
    ends = end_offsets(admin, inboxes)
    members = members_of(admin, [prefix + name for name in stages])
    collector = Collector(broker, codec, prefix, {name: changelog_of(name) for name in ("orders", "delivery")}, from_start=False)
    try:
        left = deadline - time.monotonic()
        if not collector.settle(left):
            raise StatusIncomplete(
                f"the rows of orders and delivery were not read within {seconds:g} s; give more with --timeout"
            )
        collector.check()
        configurations = _in_force(collector, Configurations(broker, codec, prefix))
        return SeenInstallation(
            stages=stages,
            positions=positions,
            partitions={name: partitions[topic] for name, topic in stages.items()},
            ends={(name, partition): ends[prefix + topic, partition] for name, topic in stages.items()
                  for partition in range(partitions[topic])},
            members={name: members[prefix + name] for name in stages},
            accounts=collector.of(ACCOUNT_ROWS),
            postings=collector.of(POSTING_ROWS),
            orders=_orders(collector),
            endpoints={plant: one.erp.erp.endpoint for plant, one in configurations.items()},
            places=places,
            letters=open_letters(*sorted_out(collector.exceptions())),
            needs=_needs(collector, configurations),
            now=time.time_ns() // 1000,
            books_lag=lag_of_books(broker, prefix, partitions),
        )  # fmt: skip
    finally:
        collector.close()


def _orders(collector: Collector) -> dict[str, EndpointRow]:
    """By endpoint: what people said may be sent to it."""
    return {ENDPOINT_ROWS.bare(key): row for key, row in collector.by_key(ENDPOINT_ROWS).items()}


def _in_force(collector: Collector, configurations: Configurations) -> dict[str, Configuration]:
    """By plant. One whose configuration is not there (another program's prefix, a topic that was cut) is left out."""
    known, positions = {one.hash: one for one in configurations.all()}, list(collector.positions("orders").values())
    hashes = {plant: in_force(positions, plant) for plant in plants_of(collector)}
    return {plant: known[hash_] for plant, hash_ in hashes.items() if hash_ in known}


def _needs(collector: Collector, configurations: Mapping[str, Configuration]) -> dict[str, list[str]]:
    """Codes by plant."""
    rows, found = collector.rows("orders"), {}
    for plant, configuration in configurations.items():
        snapshot = Snapshot({"orders": of_plant(rows, plant)}, [], configuration, {"live": True})
        found[plant] = [need.code for need in of_orders(snapshot)]
    return found


def _stages(topics: Mapping[str, int]) -> dict[str, str]:
    """Fold name -> inbox, in the order of the flow."""
    names = [name.removesuffix(".changelog") for name in sorted(topics) if name.endswith(".changelog")]
    intakes = {name: name.removeprefix("intake.") for name in names if name.startswith("intake.")}
    inboxes = {name: inbox_of(name) for name in STAGES if name in names}
    return {name: inbox for name, inbox in {**intakes, **inboxes}.items() if inbox in topics}


def _positions(log: TopicLog, codec: Codec, stage: str, deadline: float) -> dict[int, PartitionPosition]:
    """The newest `__position` of each partition, found from the end."""
    found = {}
    topic = changelog_of(stage)
    for partition in range(log.partitions(topic)):
        low, high = log.bounds(topic, partition)
        reach, value = TAIL, None
        while value is None:
            first = max(low, high - reach)
            for message in log.span(topic, partition, first, high):
                if message.key() == POSITION_KEY.encode():
                    value = message.value()
            if first == low:
                break
            reach *= 16
            if time.monotonic() > deadline:
                raise StatusIncomplete(f"{topic}/{partition} was not read in time; give more with --timeout")
        if value is not None:
            found[partition] = codec.decode(value)
    return found
