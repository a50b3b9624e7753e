"""One register of codes: everything that names a code's owner or cause asks it."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from schemas.codes import DEFAULT_OWNER, REGISTER, SECTIONS, entries_of, owner_of, register

ROOT = Path(__file__).parents[3]


def explained(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli.main", "explain-code", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_explain_code_says_cause_owner_and_what_to_type_of_every_section() -> None:
    said = explained("posting_mismatch")
    assert said.returncode == 0, said.stderr
    for entry in entries_of("POSTING_MISMATCH"):
        assert entry.cause in said.stdout
        assert f"owner  {entry.owner}" in said.stdout
    assert "exit code 75" in explained("FENCED").stdout


def test_each_entry_of_a_code_says_where_it_is_met() -> None:
    said = explained("PERIOD_CLOSED").stdout.splitlines()
    assert [line for line in said if not line.startswith(" ")] == [
        "PERIOD_CLOSED, of an account",
        "PERIOD_CLOSED, answer of the ERP",
    ]
    assert SECTIONS.keys() == {entry.section for entry in register()}


def test_an_unknown_code_is_said_with_what_is_near_it() -> None:
    said = explained("OVERDELIVERY")
    assert (said.returncode, said.stdout) == (2, "")
    assert "OVER_DELIVERY" in said.stderr


@pytest.mark.parametrize("entry", register(), ids=lambda entry: f"{entry.section}.{entry.name}")
def test_an_entry_is_whole(entry: object) -> None:
    for name in ("cause", "owner", "do"):
        assert getattr(entry, name).strip(), name


def test_nothing_of_an_entry_is_said_twice() -> None:
    """YAML takes the last of two equal keys and drops the first without a word."""
    twice, pending = [], [yaml.compose(REGISTER.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            names = Counter(key.value for key, _ in node.value)
            twice += [f"line {node.start_mark.line + 1}: {name}" for name, times in names.items() if times > 1]
            pending += [value for _, value in node.value]
    assert twice == []


def test_a_code_has_one_owner_in_whatever_section_it_stands() -> None:
    owners = {entry.name: {one.owner for one in entries_of(entry.name)} for entry in register()}
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}
    assert owner_of("NO_SUCH_CODE") == DEFAULT_OWNER


def test_no_other_place_names_owners() -> None:
    """An owner of the register as a text of its own in the source is a second register."""
    owners = {entry.owner for entry in register() if " " in entry.owner}
    wrong = []
    for path in sorted(ROOT.glob("app/**/*.py")) + sorted(ROOT.glob("tables/*.py")) + sorted(ROOT.glob("streams/**/*.py")):
        text = path.read_text(encoding="utf-8")
        wrong += [f"{path.relative_to(ROOT)}: {owner}" for owner in owners if re.search(rf"[\"']{re.escape(owner)}[\"']", text)]
    assert wrong == []
