"""Loading: every problem names file and line and says what to do."""

import shutil
from pathlib import Path

import pytest

from app.configuration import ConfigError, Problem, load, mappers, resolved
from app.configuration.loading import others_in
from app.configuration.yaml_text import MAX_BYTES, YamlProblem, read_yaml

DATA = Path(__file__).parents[2] / "data"


def problems_of(directory: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as wrong:
        load(directory)
    return wrong.value.problems


@pytest.fixture
def presses(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "presses", tmp_path / "presses"))


def change(directory: Path, file: str, old: str, new: str) -> int:
    """Put `new` in the place of `old`; the line at which the last line of it then stands."""
    target = directory / file
    text = target.read_text(encoding="utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + new.count("\n") + 1


@pytest.mark.parametrize("name", ["presses", "mill"])
def test_the_samples_are_valid(name: str) -> None:
    configuration = load(DATA / name)
    assert set(mappers(configuration)) == set(configuration.plant.sources)


def test_rules_know_their_lines(presses: Path) -> None:
    change(presses, "rules.yaml", "post:", "# a comment\npost:")
    before, after = load(DATA / "presses"), load(presses)
    found = after.rules.rule_for("scrap", "1", "2", "3")
    assert found is not None
    assert found.line == 6
    assert after.plant.sources["presses"].events[0].line == 23
    assert after.hash == before.hash


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rule.yaml", "rule.yaml: this file is not read; did you mean rules.yaml?"),
        ("Rules.yaml", "Rules.yaml: this file is not read; did you mean rules.yaml?"),
        ("rules.yml", "rules.yml: this file is not read; did you mean rules.yaml?"),
        ("rules.yaml.txt", "rules.yaml.txt: this file is not read; did you mean rules.yaml?"),
    ],
)
def test_a_file_that_nobody_reads_is_named(presses: Path, name: str, said: str) -> None:
    (presses / "rules.yaml").rename(presses / name)
    with pytest.raises(ConfigError) as refused:
        load(presses)
    assert [str(problem) for problem in refused.value.problems if problem.file == name] == [said]


def test_other_files_may_lie_beside_the_configuration(presses: Path) -> None:
    for name in ("installation.yaml", ".#rules.yaml", "rules.yaml.orig", "README.md", "values.json", "pumps.yaml"):
        (presses / name).write_text("no: configuration", encoding="utf-8")
    (presses / "old.yaml").mkdir()
    assert load(presses).hash == load(DATA / "presses").hash
    assert others_in(presses) == ["pumps.yaml", "rules.yaml.orig"], "`config check` names what is not read"


CASES = [
    (
        "plant.yaml",
        "emit: EquipmentStateChanged",
        "emit: CounterReeding",
        "sources.presses.events[2]: `emit: CounterReeding` is no event; did you mean CounterReading?",
    ),
    ("erp.yaml", 'url: "${ERP_URL}", ', "", "`adapter: tryton` needs `url`: where is the ERP?"),
    ("erp.yaml", "secret: erp-brn1, ", "", "`adapter: tryton` logs in, and `url` is there without `secret`"),
    ("plant.yaml", "counter: =shots", "counter: =shotz", "no equipment has a counter `shotz`"),
    ("plant.yaml", "table: scrap", "table: scraps", "`table: scraps` is not among `tables` (there: scrap)"),
    ("plant.yaml", "Europe/Prague", "Europe/Prag", "plant.zone: 'Europe/Prag' is no time zone"),
    ("plant.yaml", 'late: "14:00"', 'late: "06:00"', "two shifts begin at the same time"),
    ("plant.yaml", "1 BOX = 48 PC", '1 BOX = 48 PC", "1 BOX = 50 PC', "units.4711:"),
    ("plant.yaml", "1 BOX = 48 PC", "a box of 48", "`a box of 48` is no conversion"),
    ("plant.yaml", "alias: [NO.02]", "alias: [NO.01]", "`NO.01` already stands for IMM-01"),
    ("plant.yaml", "emit: RunEnded, run: job", "emit: RunVoided, job: run", "RunVoided has no field `job` to map"),
    ("plant.yaml", "emit: RunChanged, run: job,", "emit: RunChanged,", "RunChanged needs `run`"),
    ("plant.yaml", "path: qty, decimals: 0, unit: uom", "path: qty, decimals: 0", "a quantity is written"),
    ("plant.yaml", "value: data.shots", 'value: "data[*].shots"', "`data[*].shots` is no path"),
    ("plant.yaml", "value: data.shots", "value: len(data)", "`len(data)` is no path"),
    ("plant.yaml", '"3": down', '"3": broken', "`state` can become `broken`, which is none of running, setup"),
    ("plant.yaml", "part, lot: out_lot", "part, batch: out_lot", "Output has no field `batch`"),
    ("plant.yaml", "decimals: 3, unit: =kg", "decimals: 2, unit: =kg", "write `decimals: 2` at the counter too"),
    ("plant.yaml", "hold_undecided: 15 min", "hold_undecided: 604800", "`7 d` if these are seconds"),
    ("plant.yaml", "hold_undecided: 15 min", "hold_undecided: 7 days", "write `7 d`"),
    ("plant.yaml", "hold_undecided: 15 min", 'hold_undecided: ""', "an empty value is no duration; write a number and one of"),
    ("plant.yaml", "on_fall: reset", "on_fal: reset", "`on_fal` is no key here; did you mean on_fall?"),
    ("plant.yaml", "on_fall: placeholder", "on_fall: rollover", "`on_fall: rollover` needs `modulus`"),
    ("plant.yaml", "outside_shift: previous", "outside_shift: previos", "did you mean previous?"),
    (
        "plant.yaml",
        "hold_undecided: 15 min",
        "hold_undecided: 15",
        "`15` is no duration; it needs a unit, e.g. `15 min`; `15 s` if these are seconds",
    ),
    ("plant.yaml", "private: [operator.badge]", "private: [=x]", "`=x` is no plain path"),
    ("plant.yaml", "    read:", "    red:", "`red` is no key here; did you mean read?"),
    ("plant.yaml", "days_off: [2026-12-25]", "days_off: [25.12.2026]", "`25.12.2026` is no date"),
    ("plant.yaml", '{path: data.st, codes: {"1": running, "2": setup, "3": down}}', "running", "write `=running`"),
    ("plant.yaml", "unit: uom", "unit: PC", "write `=PC`"),
    ("plant.yaml", "lot: batch", "lot: =BATCH-260112", "has 12 characters, and the ERP takes 10"),
    ("rules.yaml", "at_least: 1 BOX", "at_least: 1 BOX, unit: CRATE", "unit `CRATE` is not known"),
    ("erp.yaml", "unit: MIN", "unit: FORTNIGHT", "unit `FORTNIGHT` is not known"),
    ("rules.yaml", "at_least: 1 BOX", "at_leest: 1 BOX", "`at_leest` is no key here; did you mean at_least?"),
    ("rules.yaml", "above 200 PC at once", "abov 200 PC", "`abov 200 PC` is no trigger"),
    ("rules.yaml", "every 10 BOX", "every 10 CRATE", "unit `CRATE` is not known"),
    ("rules.yaml", "component: masterbatch, by: ledger_backflush", "component: resin, by: declared", "two modes"),
    ("rules.yaml", "{component: resin, by: meter}", "{component: glue, by: meter}", "`glue` is by meter, but no"),
    ("rules.yaml", "  - {kind: scrap", "  - {line: 7, kind: scrap", "`line` is no key here"),
    ("rules.yaml", "excess: park", "excess: park, closed: post", "there is only park; leave `closed` out"),
    ("erp.yaml", "secret: erp-brn1", 'secret: "pa ss"', "write the name of a secret, never its value"),
    ("erp.yaml", '"${ERP_URL}"', '"https://me:word@erp"', "an address holds no user and password"),
    ("erp.yaml", "adapter: tryton", "adapter: tritan", "did you mean tryton?"),
    ("erp.yaml", "adapter: tryton", "adapter: sap_s4", "ADAPTER_UNSUPPORTED: `adapter: sap_s4` is not built in this version"),
    ("erp.yaml", "adapter: tryton", "adapter: rest", "ADAPTER_UNSUPPORTED: `adapter: rest` is not built in this version"),
    ("erp.yaml", "calls_per_second: 10", "calls_per_second: fast", "`fast` is no number"),
    ("erp.yaml", "concurrency: 4", "concurrency: 0", "`0` must be at least 1"),
    ("erp.yaml", "concurrency: 4", "quota: {per: 1 h}", "a quota states `calls`, `processing` or both"),
    ("erp.yaml", "concurrency: 4", "quota: {calls: 10, per: 10 s}", "`per` is from 1 min to 1 d"),
    ("erp.yaml", "concurrency: 4", "quota: {calls: 10, per: 2 d}", "`per` is from 1 min to 1 d"),
    ("erp.yaml", "concurrency: 4", "quota: {processing: 10 ms}", "`processing` is at least 1 s"),
    ("erp.yaml", "retry 4 h", "retry later", "is not `park` or `retry <duration>`"),
    ("erp.yaml", "  scrap: {by", "  scarp: {by", "did you mean scrap?"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), CASES, ids=[case[2][:30] for case in CASES])
def test_each_problem_has_its_file_line_and_advice(presses: Path, file: str, old: str, new: str, message: str) -> None:
    line = change(presses, file, old, new)
    found = problems_of(presses)
    assert [problem for problem in found if message in problem.message], [str(problem) for problem in found]
    assert {(problem.file, problem.line) for problem in found if message in problem.message} == {(file, line)}


def test_problems_of_all_files_come_together(presses: Path) -> None:
    change(presses, "plant.yaml", "zone: Europe", "zone: Nowhere")
    change(presses, "rules.yaml", "kind: scrap", "kind: scrab")
    change(presses, "erp.yaml", "adapter: tryton", "adapter: tritan")
    assert {problem.file for problem in problems_of(presses)} == {"plant.yaml", "rules.yaml", "erp.yaml"}


def test_a_wrong_zone_is_named_once_beside_other_problems(presses: Path) -> None:
    """However many times of the plant are local ones; and where a source has a zone of its own, at its place."""
    change(presses, "plant.yaml", "Europe/Prague", "Europe/Prag")
    assert [(problem.line, problem.message) for problem in problems_of(presses)] == [
        (2, "plant.zone: 'Europe/Prag' is no time zone; write one like Europe/Prague")
    ]
    change(presses, "plant.yaml", "occurred_at: hdr.ts", "occurred_at: {path: hdr.ts, zone: Mars/Olympus}")
    change(presses, "plant.yaml", "outside_shift: previous", "outside_shift: previos")
    found = [problem.message for problem in problems_of(presses)]
    assert [message.partition(":")[0] for message in found] == [
        "plant.zone",
        "calendar.outside_shift",
        "sources.presses.read.occurred_at.zone",
    ]
    assert "'Mars/Olympus' is no time zone" in found[2]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text("", encoding="utf-8")
    found = [str(problem) for path in ("nowhere", "plant.yaml") for problem in problems_of(tmp_path / path)]
    assert found == [
        f"plant.yaml: there is no folder {tmp_path / 'nowhere'}",
        f"plant.yaml: {tmp_path / 'plant.yaml'} is a file; name the folder that it is in",
    ]


def test_only_plant_yaml_must_exist(tmp_path: Path) -> None:
    assert [str(problem) for problem in problems_of(tmp_path)] == [
        f"plant.yaml: there is no plant.yaml in {tmp_path}; write it, or name another folder"
    ]
    shutil.copy(DATA / "mill" / "plant.yaml", tmp_path)
    assert load(tmp_path).erp.erp.adapter == "none"


def test_scalars_stay_text() -> None:
    content = read_yaml(b"{a: 22:00, b: 0001, c: no, d: 1e3, e: 2026-12-25, f: ~, g: , 1: x, h: 0x1F}").content
    assert content == {
        **{"a": "22:00", "b": "0001", "c": "no", "d": "1e3", "e": "2026-12-25", "f": "~", "g": "", "1": "x"},
        "h": "0x1F",
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"a: 1\na: 2\n", 2, "`a` stands here twice"),
        (b"a: &x 1\nb: 2\n", 1, "anchors"),
        (b"a: 1\nb: *x\n", 2, "anchors"),
        (b"a: !!python/object:os.system x\n", 1, "tags"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"a: [1\nb: 2\n", 2, "no YAML"),
        (b"- 1\n", 1, "keys with values"),
        (b"{[1]: 2}", 1, "a key must be one text"),
        (b"\xff\xfe", 1, "UTF-8"),
        (b"a: " + b"[" * 30 + b"]" * 30, 1, "nested deeper"),
        (b"#" * (MAX_BYTES + 1), 1, "more than"),
        (b"a: [" + b"1," * 200_000 + b"]", 1, "parts"),
        (b"a: \x00", 1, "no YAML"),
    ],
)
def test_yaml_that_is_refused(text: bytes, line: int, message: str) -> None:
    with pytest.raises(YamlProblem, match=message) as wrong:
        read_yaml(text)
    assert wrong.value.line == line


def test_the_environment_is_asked_at_use_and_is_no_part_of_the_hash(presses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(presses)
    monkeypatch.setenv("ERP_URL", "https://erp.example/odata")
    assert load(presses).hash == first.hash
    assert first.erp.erp.url == "${ERP_URL}"
    assert resolved(first.erp.erp.url) == "https://erp.example/odata"
    with pytest.raises(ConfigError, match="the environment has no OTHER"):
        resolved("${OTHER}/x", {})


def test_a_rule_that_could_only_be_refused_is_named(presses: Path) -> None:
    first = change(presses, "plant.yaml", "  presses:\n", "  presses:\n    system: quality\n")
    found = [problem for problem in problems_of(presses) if "NOT_SYSTEM_OF_RECORD" in problem.message]
    assert found and all(problem.line > first for problem in found), [str(problem) for problem in found]
    assert "NOT_SYSTEM_OF_RECORD: CounterReading is mes's, and this source has `system: quality`" in found[0].message


def test_a_field_that_is_called_like_a_constant_can_be_named(presses: Path) -> None:
    """The way out of the advice about bare words."""
    change(presses, "plant.yaml", '{path: data.st, codes: {"1": running, "2": setup, "3": down}}', "{path: running}")
    assert load(presses).plant.plant.id


def test_units_may_come_with_the_materials(presses: Path) -> None:
    change(presses, "rules.yaml", "at_least: 1 BOX", "at_least: 1 BOX, unit: CRATE")
    event = (
        "      - {when: {type: material}, emit: MaterialChanged, material: part, unit: uom, decimals: dc, batch_managed: bm}\n"
    )
    change(presses, "plant.yaml", "      - {when: {type: meter}", event + "      - {when: {type: meter}")
    assert load(presses).rules.post


def test_keys_that_had_one_value_may_still_stand_in_a_file(presses: Path) -> None:
    hash_ = load(presses).hash
    change(presses, "rules.yaml", "excess: park", "excess: park, closed: park")
    change(presses, "rules.yaml", "after_close", "before_close: correct_receipt, after_close")
    change(presses, "rules.yaml", "consumption: post, shipment", "consumption: post, times: post, shipment")
    assert load(presses).hash == hash_
    change(presses, "rules.yaml", "times: post", "times: wait")
    assert "there is only post" in problems_of(presses)[0].message, "it had no effect"
