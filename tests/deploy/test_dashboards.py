"""The dashboards ask for figures that workers have, by labels that these have, in queries that Prometheus reads."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.erp.metrics import ErpMetrics
from app.observability.stage_metrics import StageMetrics
from tests.deploy.chart import CHART
from tests.platform.maven import ROOT, Missing
from tests.platform.promtool import promtool

FOLDER = CHART / "files" / "dashboards"
NAMES = ("engine", "erp", "operations", "plant")
SCRAPED = {"job", "instance"}
"""Labels that Prometheus gives."""
OF_THE_PROCESS = {"up": set[str](), "process_cpu_seconds_total": set[str](), "process_resident_memory_bytes": set[str]()}
"""What Prometheus and its client tell of every process."""
METRIC = re.compile(r"\b((?:lineledger|process)_[a-z_]+|up)\b(?!\()")
MATCHED = re.compile(r"\{([^{}]*)\}")


def board(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def queries(name: str) -> Iterator[tuple[str, str]]:
    """(panel, what it asks)."""
    for panel in board(name)["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@cache
def figures() -> Mapping[str, set[str]]:
    """Every figure that a worker has, as Prometheus stores it, with its labels."""
    registry = CollectorRegistry()
    StageMetrics(registry), ErpMetrics(registry)
    found: dict[str, set[str]] = {}
    for each in list(registry._collector_to_names):
        for metric in each.collect() if isinstance(each, StageMetrics) else [each]:
            kind = getattr(metric, "type", None) or metric._type
            name = getattr(metric, "name", None) or metric._name
            ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
            for end in ends:
                found[name + end] = {*metric._labelnames, *(["le"] if end == "_bucket" else [])}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_page_asks_for_what_nobody_tells(name: str) -> None:
    known = {**OF_THE_PROCESS, **figures()}
    for title, asked in queries(name):
        metrics = METRIC.findall(asked)
        assert metrics, title
        assert [each for each in metrics if each not in known] == [], title


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_those_of_the_figures(name: str) -> None:
    known = {**OF_THE_PROCESS, **figures()}
    for title, asked in queries(name):
        labels = SCRAPED.union(*(known[each] for each in METRIC.findall(asked)))
        grouped = {label.strip() for found in re.findall(r"\bby \(([^()]*)\)", asked) for label in found.split(",")}
        matched = {label for found in MATCHED.findall(asked) for label in re.findall(r"(\w+)\s*[=!]", found)}
        assert grouped | matched <= labels, title


def test_every_figure_stands_on_a_page() -> None:
    shown = {metric for name in NAMES for _, asked in queries(name) for metric in METRIC.findall(asked)}
    told = {name for name in figures() if not name.endswith(("_sum", "_count"))}
    assert told - shown == set()


@pytest.mark.parametrize("name", NAMES)
def test_legends_name_labels_that_the_query_keeps(name: str) -> None:
    known = {**OF_THE_PROCESS, **figures()}
    for panel in board(name)["panels"]:
        for target in panel["targets"]:
            asked, named = target["expr"], set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            grouped = [set(re.split(r",\s*", found)) for found in re.findall(r"\bby \(([^()]*)\)", asked)]
            kept = set.union(*grouped) if grouped else SCRAPED.union(*(known[each] for each in METRIC.findall(asked)))
            assert named <= kept, panel["title"]


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    try:
        tool = promtool()
    except Missing as missing:
        pytest.skip(f"needs promtool: {missing}")
    asked = [query for name in NAMES for _, query in queries(name)]
    rules = [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(asked)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run([tool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(asked)} rules found" in done.stdout


def test_files_are_what_the_code_writes(tmp_path: Path) -> None:
    """Else somebody changed a page by hand: `make dashboards` writes them."""
    sys.path.insert(0, str(ROOT / "deploy" / "grafana"))
    try:
        import dashboards
    finally:
        sys.path.pop(0)
    dashboards.written(tmp_path)
    assert {each.name: each.read_text(encoding="utf-8") for each in tmp_path.iterdir()} == {
        each.name: each.read_text(encoding="utf-8") for each in FOLDER.iterdir()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_what_each_panel_means_and_links_go_somewhere(name: str) -> None:
    page = board(name)
    assert [panel["title"] for panel in page["panels"] if not panel.get("description", "").endswith(".")] == []
    assert {link["url"].removeprefix("/d/lineledger-") for link in page["links"]} <= set(NAMES)
    for panel in page["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
    chosen = {variable["name"] for variable in page["templating"]["list"]}
    assert chosen == {"datasource", *re.findall(r"\$(?!\{)(\w+)", json.dumps(page["panels"]))}
