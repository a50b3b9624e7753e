"""The chart, rendered: what helm makes of it with a profile and values, as Python objects."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.platform.helm import helm
from tests.platform.maven import ROOT

CHART = ROOT / "deploy" / "helm" / "lineledger"
DEMO = ROOT / "app" / "demo" / "plant"
PROFILES = ("small", "plant", "group")
RELEASE = "prod"
KUBERNETES = "1.34"
GIVEN: Mapping[str, Any] = {
    "image": {"repository": "registry.example/lineledger"},
    "kafka": {"bootstrap": "kafka:9092", "registry": "https://registry:8081", "prefix": "prod."},
    "erp": {"env": {"LINELEDGER_ERP_URL": "https://erp.example"}},
}
"""What no profile can know."""

Manifest = dict[str, Any]


@dataclass(slots=True)
class Refused(Exception):
    """helm made nothing; `said` is why."""

    said: str


@dataclass(slots=True)
class Rendered:
    manifests: list[Manifest]
    notes: str = ""

    def kind(self, *kinds: str) -> list[Manifest]:
        return [each for each in self.manifests if each["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        (found,) = [each for each in self.kind(kind) if each["metadata"]["name"] == f"{RELEASE}-{name}"]
        return found

    def workloads(self) -> list[Manifest]:
        return self.kind("StatefulSet", "Job")

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(name of the workload, container), with those that run before it."""
        for each in self.workloads():
            spec = pod(each)["spec"]
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                yield each["metadata"]["name"], container


def pod(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]
    return found


def values_of(profile: str) -> list[str | Path]:
    """Arguments of helm for a profile, with the demo's files as the plant's where it wants files."""
    arguments: list[str | Path] = ["-f", CHART / "profiles" / f"{profile}.yaml"]
    if profile != "group":
        for name in ("plant", "rules", "erp"):
            arguments += ["--set-file", f"plants.brn1.files.{name}\\.yaml={DEMO / name}.yaml"]
    return arguments


def render(folder: Path, values: Mapping[str, Any], *arguments: str | Path, notes: bool = False) -> Rendered:
    """Raises Refused, Missing."""
    given = folder / "values.yaml"
    given.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
    if notes:
        said = run("install", RELEASE, CHART, "--dry-run=client", *arguments, "-f", given)
        return Rendered([], said.partition("NOTES:")[2])
    # A helm that somebody built by himself takes an old Kubernetes for granted.
    said = run("template", RELEASE, CHART, "--namespace", "ledger", "--kube-version", KUBERNETES, *arguments, "-f", given)
    return Rendered([each for each in yaml.safe_load_all(said) if each])


def run(*arguments: str | Path) -> str:
    done = subprocess.run([helm(), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def selected(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()
