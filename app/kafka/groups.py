"""Who works on a topic: the members of consumer groups and what each of them reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

REQUEST_SECONDS = 10.0


@dataclass(slots=True, frozen=True)
class Member:
    """A worker process in a group. `instance`: its static member id, empty when it has none."""

    instance: str
    client: str
    host: str
    partitions: tuple[tuple[str, int], ...]


def members_of(admin: AdminClient, groups: Sequence[str]) -> dict[str, list[Member]]:
    """The members of each group; a group that nobody has joined has none. Raises KafkaException."""
    found: dict[str, list[Member]] = {}
    if not groups:
        return found
    for name, future in admin.describe_consumer_groups(list(groups), request_timeout=REQUEST_SECONDS).items():
        try:
            group = future.result(REQUEST_SECONDS + 1)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:  # newer brokers say so of a group that nobody has joined
                raise
            found[name] = []
            continue
        found[name] = [_member(member) for member in group.members]
    return found


def _member(member: Any) -> Member:
    partitions = () if member.assignment is None else member.assignment.topic_partitions
    assigned = tuple(sorted((one.topic, one.partition) for one in partitions))
    return Member(member.group_instance_id or "", member.client_id or "", member.host or "", assigned)
