"""What docs/operations.md says of helm is typed here: its values and its command, with the demo's plant as brn1."""

import shlex
import shutil
import subprocess
from pathlib import Path

import yaml

from tests.deploy.chart import DEMO
from tests.deploy.conftest import Chart
from tests.docs import markdown
from tests.platform.helm import helm
from tests.platform.maven import ROOT

OPERATIONS = markdown.read(ROOT / "docs" / "operations.md")


def test_helm_takes_what_is_written(rendered: Chart, tmp_path: Path) -> None:
    (ours,) = [block for language, block in OPERATIONS.blocks if language == "yaml"]
    (tmp_path / "ours.yaml").write_text(ours.replace("DIGEST", "0" * 64), encoding="utf-8")
    shutil.copytree(DEMO, tmp_path / "brn1")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    lines = [line for language, block in OPERATIONS.blocks if language == "sh" for line in block.splitlines()]
    typed = [shlex.split(line)[1:] for line in lines if line.startswith("helm ")]
    assert [words[0] for words in typed] == ["template", "install"]
    assert typed[1][1:3] == typed[0][1:3] and typed[1][5:] == typed[0][3:], "what is looked at is what is installed"
    for words in typed:
        dry = ["--dry-run=client"] if words[0] == "install" else []
        done = subprocess.run([helm(), *words, *dry], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        if words[0] == "template":
            made = {
                each["metadata"]["name"] for each in yaml.safe_load_all(done.stdout) if each and each["kind"] == "StatefulSet"
            }
            assert {f"prod-{stage}" for stage in ("intake-brn1", "equipment", "lots", "orders", "delivery")} == made
