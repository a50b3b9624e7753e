"""Alert rules fire when they should and stay silent when nothing is wrong: Prometheus' own tool says so."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platform.maven import Missing
from tests.platform.promtool import promtool

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
SILENT = {"a rebalance", "a deployment", "a quiet weekend"}


@pytest.fixture(scope="session")
def tool() -> Path:
    try:
        return promtool()
    except Missing as missing:
        pytest.skip(f"needs promtool: {missing}")


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def outcome_of(tool: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, "test", "rules", "alerts_test.yaml"], cwd=folder, capture_output=True, text=True, check=False)


def test_each_alert_fires_and_none_without_a_cause(tool: Path) -> None:
    done = outcome_of(tool, FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_waits() -> None:
    named = {rule["alert"] for group in read("alerts.yaml")["groups"] for rule in group["rules"]}
    cases = [case for test in read("alerts_test.yaml")["tests"] for case in test.get("alert_rule_test", ())]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == named
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == named


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("for: 5m", "for: 0m"),
        ("lineledger_clock_seconds) > 300", "lineledger_clock_seconds) > 60"),
        ("          unless on (instance, endpoint) lineledger_erp_maintenance == 1\n", ""),
        (" > 60 * sum by (stage) (rate(lineledger_records_total[10m]))", " > 0"),
    ],
)
def test_a_rule_that_cries_wolf_is_found(tool: Path, tmp_path: Path, what: str, wrong: str) -> None:
    rules = (FOLDER / "alerts.yaml").read_text(encoding="utf-8")
    assert what in rules
    (tmp_path / "alerts.yaml").write_text(rules.replace(what, wrong), encoding="utf-8")
    cases = read("alerts_test.yaml")
    cases["tests"] = [test for test in cases["tests"] if test["name"] in SILENT]
    assert {test["name"] for test in cases["tests"]} == SILENT
    (tmp_path / "alerts_test.yaml").write_text(yaml.safe_dump(cases, sort_keys=False), encoding="utf-8")
    assert outcome_of(tool, tmp_path).returncode != 0


def test_each_alert_has_its_part_of_the_runbook() -> None:
    page = (FOLDER.parents[1] / "docs" / "alerts.md").read_text(encoding="utf-8")
    parts = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## Lineledger")]
    rules = [rule for group in read("alerts.yaml")["groups"] for rule in group["rules"]]
    assert parts == [rule["alert"] for rule in rules]
    assert [rule["annotations"]["runbook_url"] for rule in rules] == [f"docs/alerts.md#{name.lower()}" for name in parts]
