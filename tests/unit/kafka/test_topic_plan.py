"""What the topics should look like and what counts as a difference: no broker needed."""

from dataclasses import replace

import pytest

from app.kafka.topic_plan import (
    DAY_MS,
    MAX_BATCH_BYTES,
    FoundTopic,
    TopicNameInvalid,
    WantedTopic,
    compare,
    copies_hint,
    differences,
    retention_ms,
    topic_config,
    wanted_topics,
)
from schemas.catalog import Topic, catalog
from schemas.codec import MAX_MESSAGE_BYTES


def _topic(retention: str = "7d", append_time: bool = False) -> Topic:
    return Topic("t", "key", (), "owner", retention, 4, append_time=append_time)


def _as_found(topic: WantedTopic) -> FoundTopic:
    return FoundTopic(topic.partitions, topic.replication, {**topic.config, "segment.bytes": "1073741824"})


@pytest.mark.parametrize(
    ("topic", "replication", "recorded", "expected"),
    [
        (_topic("7d"), 1, False, {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS), "min.insync.replicas": "1"}),
        (_topic("forever"), 3, False, {"cleanup.policy": "delete", "retention.ms": "-1", "min.insync.replicas": "2"}),
        (_topic("compact"), 3, False, {"cleanup.policy": "compact", "delete.retention.ms": str(7 * DAY_MS)}),
        (_topic(append_time=True), 1, False, {"message.timestamp.type": "LogAppendTime"}),
        (_topic(append_time=False), 1, False, {"message.timestamp.type": "CreateTime"}),
        (_topic(append_time=True), 1, True, {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}),
        (_topic("compact"), 1, True, {"cleanup.policy": "compact", "retention.ms": "-1"}),
        (_topic("1d"), 1, True, {"message.timestamp.before.max.ms": str(2**63 - 1)}),
        (_topic("1d"), 1, True, {"message.timestamp.after.max.ms": str(2**63 - 1)}),
    ],
)
def test_settings_follow_the_catalog(topic: Topic, replication: int, recorded: bool, expected: dict[str, str]) -> None:
    assert expected.items() <= topic_config(topic, replication, recorded).items()


@pytest.mark.parametrize("topic", catalog().topics.values(), ids=lambda topic: topic.name)
def test_no_topic_of_the_catalog_refuses_or_deletes_what_was_recorded_years_ago(topic: Topic) -> None:
    config = topic_config(topic, 1, recorded=True)
    assert config["retention.ms"] == "-1"
    assert config["message.timestamp.type"] == "CreateTime"


def test_a_record_at_the_codecs_limit_fits_with_key_and_headers() -> None:
    assert MAX_BATCH_BYTES >= MAX_MESSAGE_BYTES + (32 << 10)


def test_every_topic_gets_the_prefix_and_patterns_are_no_topics() -> None:
    names = [topic.name for topic in wanted_topics(catalog(), "x.", ["raw.brn1.presses"])]
    assert names == sorted(names)
    assert "x.raw.brn1.presses" in names
    assert "x.intake.raw.brn1.presses.changelog" in names
    assert not {"x.raw", "x.intake.changelog"} & set(names)
    assert all(name.startswith("x.") for name in names)
    assert len(names) == len(catalog().topics)


def test_a_single_raw_topic_may_be_called_raw() -> None:
    assert "raw" in {topic.name for topic in wanted_topics(catalog(), "", ["raw"])}


@pytest.mark.parametrize(
    ("prefix", "raw"), [("", "raw/presses"), ("a b.", "raw.x"), ("", "orders.inbox"), ("p" * 240, "raw.presses"), ("", "..")]
)
def test_names_that_kafka_or_the_catalog_cannot_have_are_refused(prefix: str, raw: str) -> None:
    with pytest.raises(TopicNameInvalid):
        wanted_topics(catalog(), prefix, [raw])


@pytest.mark.parametrize(("text", "expected"), [("1d", DAY_MS), ("30d", 30 * DAY_MS), ("forever", -1)])
def test_retention(text: str, expected: int) -> None:
    assert retention_ms(text) == expected


@pytest.mark.parametrize("text", ["", "7", "7h", "0d", "-1d", "compact", "1.5d"])
def test_retention_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="retention"):
        retention_ms(text)


def test_a_topic_is_created_ok_or_drifts() -> None:
    missing, same, other = wanted_topics(catalog(), "", [])[:3]
    found = {same.name: _as_found(same), other.name: replace(_as_found(other), partitions=9), "foreign": _as_found(same)}
    assert [(change.topic, change.action) for change in compare([missing, same, other], found)] == [
        (missing.name, "create"),
        (same.name, "ok"),
        (other.name, "drift"),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", "delete"),
        ("delete.retention.ms", "86400000"),
        ("max.message.bytes", "1048588"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.cleanable.dirty.ratio", "0.5"),
        ("min.insync.replicas", "2"),
        ("segment.ms", "604800000"),
        ("unclean.leader.election.enable", "true"),
    ],
)
def test_each_setting_that_differs_is_named_with_both_values(key: str, value: str) -> None:
    wanted = WantedTopic("t", 4, 1, topic_config(_topic("compact"), 1, recorded=False))
    found = replace(_as_found(wanted), config={**wanted.config, key: value})
    assert differences(wanted, found) == [f"{key} is {value}, wanted {wanted.config[key]}"]


def test_partitions_replication_and_absent_settings_are_differences() -> None:
    wanted = WantedTopic("t", 4, 3, {"retention.ms": "-1"})
    assert differences(wanted, FoundTopic(6, 1, {})) == [
        "partitions is 6, wanted 4",
        "replication is 1, wanted 3",
        "retention.ms is unset, wanted -1",
    ]


def test_another_number_of_copies_is_told_with_the_option_that_means_them() -> None:
    wanted = [WantedTopic(name, 4, 3, {}) for name in ("a", "b", "c")]
    changes = compare(wanted, {"a": FoundTopic(4, 1, {}), "b": FoundTopic(4, 1, {})})
    assert "2 topics have replication 1, and 3 was asked for" in copies_hint(changes)
    assert "`--replication 1`" in copies_hint(changes)
    assert copies_hint(compare(wanted, {"a": FoundTopic(4, 1, {}), "b": FoundTopic(4, 2, {})})) == "", "no number means both"
    assert copies_hint(compare(wanted, {"a": FoundTopic(6, 3, {})})) == ""


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ("0.2", "0.20", True),
        ("0.2", "0.21", False),
        ("a,b", "b,a", True),
        ("compact", "compact,delete", False),
        (str(2**63 - 1), str(2**63 - 2), False),  # floating point would call them equal
    ],
)
def test_values_are_compared_by_meaning(wanted: str, found: str, same: bool) -> None:
    reasons = differences(WantedTopic("t", 1, 1, {"k": wanted}), FoundTopic(1, 1, {"k": found}))
    assert (reasons == []) == same
