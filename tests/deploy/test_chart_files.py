"""The chart's files, read without helm: values and their description agree, the alerts are those of deploy/prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml

from app.topology import STAGES
from schemas.catalog import catalog
from tests.deploy.chart import CHART, PROFILES
from tests.platform.maven import ROOT

FREE = {"plants", "workers"}
"""Maps whose keys are names that people choose."""
HELM_S_OWN = {"global"}


@cache
def schema() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return found


def values(name: str = "values.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / name).read_text(encoding="utf-8"))
    return found


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node itself, or what it refers to."""
    reference = node.get("$ref") or next((each["$ref"] for each in node.get("allOf", ()) if "$ref" in each), "")
    return schema()["definitions"][reference.rpartition("/")[2]] if reference else node


def described(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every value that the schema knows, by its path."""
    for name, below in resolved(node).get("properties", {}).items():
        yield f"{path}{name}", below
        yield from described(below, f"{path}{name}.")


@pytest.mark.parametrize("part", ["", *sorted(schema()["definitions"])])
def test_every_value_says_what_it_means(part: str) -> None:
    node = schema()["definitions"][part] if part else schema()
    assert [path for path, below in described(node) if not below.get("description", "").endswith(".")] == []


def test_values_and_schema_name_the_same() -> None:
    def missing(given: Mapping[str, Any], node: Mapping[str, Any], path: str = "") -> Iterator[str]:
        known = resolved(node).get("properties", {})
        yield from (f"{path}{name} is not in values.yaml" for name in known if name not in given)
        yield from (f"{path}{name} is not in the schema" for name in given if known and name not in known)
        for name, below in known.items():
            if name not in FREE and isinstance(given.get(name), dict) and given[name]:
                yield from missing(given[name], below, f"{path}{name}.")

    assert [each for each in missing(values(), schema()) if each.partition(" ")[0] not in HELM_S_OWN] == []


def test_the_alerts_are_those_of_prometheus() -> None:
    """A chart has all its files in its folder: cp deploy/prometheus/alerts.yaml deploy/helm/lineledger/files/"""
    assert (CHART / "files" / "alerts.yaml").read_bytes() == (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_bytes()


def test_the_chart_is_of_this_version_of_the_program() -> None:
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert project is not None
    assert yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["appVersion"] == project[1]


def test_stages_are_those_of_the_program() -> None:
    assert set(schema()["definitions"]["worker"]["properties"]["stages"]["items"]["enum"]) == set(STAGES)
    assert {stage for worker in values()["workers"].values() for stage in worker["stages"]} | {"intake"} == set(STAGES)


def test_no_stage_is_scaled_beyond_its_partitions() -> None:
    least = min(topic.partitions for name, topic in catalog().topics.items() if name.endswith(".inbox"))
    assert values()["pod"]["autoscaling"]["maxReplicas"] == least
    for profile in PROFILES:
        given = values(f"profiles/{profile}.yaml")
        assert all(worker.get("replicas", 1) <= least for worker in given["workers"].values()), profile


def test_a_stop_has_more_time_than_the_program_takes_for_it() -> None:
    """A release of partitions is bounded (docs/guarantees.md, Not given); what kills before that makes a stop a crash."""
    assert values()["pod"]["terminationGracePeriodSeconds"] > 120
