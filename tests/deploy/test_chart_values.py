"""Every value of the chart does something: another one renders something else."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.deploy.chart import CHART
from tests.deploy.conftest import Chart, merged

SHA = "sha256:" + "0" * 64
BASE: Mapping[str, Any] = {
    "plants": {
        "brn1": {"files": {"plant.yaml": "a"}},
        "ost2": {"existingConfigMap": "ost2", "revision": "1"},
    },
    "pod": {"client": {"existingSecret": "each"}},
    "workers": {"equipment": {"stages": ["equipment"], "autoscaling": {"enabled": True}}},
    "monitoring": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboards": {"enabled": True},
    },
    "secretStore": {"name": "vault"},
}
"""All that can be switched on, so that what belongs to it shows."""
OTHER: Mapping[str, Any] = {
    "image.digest": SHA,
    "image.pullPolicy": "Always",
    "image.pullSecrets": ["x"],
    "kafka.client.external": {"file": "remote"},
    "kafka.registryUser.external": {"file": "remote"},
    "erp.env": {"X": "other"},
    "erp.external": {"file": "remote"},
    "erp.files": {"X": "file"},
    "setup.steps": [{"name": "x", "args": ["exceptions", "list"]}],
    "secretStore.kind": "ClusterSecretStore",
    "networkPolicy.dns": [],
    "pod.persistence.whenScaled": "Retain",
    "pod.persistence.whenDeleted": "Retain",
    "pod.spread.zones": "DoNotSchedule",
    "pod.spread.hosts": "DoNotSchedule",
    "installation.file": "prefix: other.",
    "installation.existingConfigMap": "kept",
    "setup.acls": True,
    "monitoring.serviceMonitor.enabled": False,
    "monitoring.prometheusRule.enabled": False,
    "monitoring.dashboards.enabled": False,
}
"""What the other value is, where a text with a letter more or another number will not do."""
REGISTRY: Mapping[str, Mapping[str, Any]] = {
    "key": {"existingSecret": "s", "secret": "x"},
    "secret": {"existingSecret": "s", "secret": "x"},
    "existingSecret": {"existingSecret": "s", "secret": "x"},
    "secretProviderClass": {"secretProviderClass": "s", "secret": "x"},
    "external": {"external": {"file": "here"}, "secret": "x"},
}
UNDER: Mapping[str, Mapping[str, Any]] = {
    "kafka.client.key": {"pod": {"client": {"existingSecret": ""}}, "kafka": {"client": {"existingSecret": "all"}}},
    **{
        f"kafka.registryUser.{name}": {"installation": {"existingConfigMap": "kept"}, "kafka": {"registryUser": values}}
        for name, values in REGISTRY.items()
    },
    "installation.revision": {"installation": {"existingConfigMap": "kept"}},
    "setup.acls": {"installation": {"file": "prefix: x."}},
    "secretStore.name": {"erp": {"external": {"a": "b"}}},
    "secretStore.kind": {"erp": {"external": {"a": "b"}}},
    "secretStore.refreshInterval": {"erp": {"external": {"a": "b"}}},
}
"""Values without which one would say nothing."""
ELSEWHERE = {"plants", "workers", "intake", "pod.autoscaling.enabled", "pod.client", "setup.client"}
"""Maps of names that people choose, and what holds for one worker only: test_chart.py."""


def leaves(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, below in node.items():
        here = f"{path}{name}"
        if here in ELSEWHERE:
            continue
        if isinstance(below, dict) and below and here not in OTHER:
            yield from leaves(below, f"{here}.")
        else:
            yield here, below


DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def other(path: str, value: Any) -> Any:
    if path in OTHER:
        return OTHER[path]
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return [*value, 1 if value and isinstance(value[0], int) else {"podSelector": {}}]
        case dict():
            return {"x": "other"}
    return f"9{value}" if path.endswith(("cpu", "memory")) else f"{value}9"


@pytest.mark.parametrize(("path", "value"), [pytest.param(*each, id=each[0]) for each in leaves(DEFAULTS)])
def test_another_value_renders_something_else(path: str, value: Any, rendered: Chart) -> None:
    below = merged(BASE, UNDER.get(path, {}))
    above: Any = other(path, value)
    for name in reversed(path.split(".")):
        above = {name: above}
    assert rendered("", below).manifests != rendered("", merged(copy.deepcopy(below), above)).manifests
