"""Times of records in every form, the same on every host, and a refusal for each that cannot be read for sure."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.configuration import load, mappers
from app.inputs.cut_files import cut
from streams.mapping import MappingError, RawRecord, compile_source
from tables.plant.local_time import EPOCH
from tests.unit.streams.mapping.sources import mapper_of, one, plant_of, record

ROOT = Path(__file__).parents[4]
TIMES = ROOT / "tests" / "data" / "times"
BAD = "BAD_TIME"


def read_at(function: dict[str, Any], value: Any, **fields: Any) -> str:
    """The instant in UTC that a mapping reads, or the code of its refusal."""
    read = {"event_id": "id", "occurred_at": {"path": "t", **function} if "join" not in function else function}
    return told(one(mapper_of([{"emit": "OrderClosed", "order": "=1"}], read), record(t=value, **fields)))


def told(item: Any) -> str:
    at = getattr(item, "occurred_at", None)
    if at is None:
        return str(item.code)
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("epoch_s", "1.7951550605E9", "2026-11-20T06:11:00.500000Z"),
        ("epoch_s", "1.79515512e+09", "2026-11-20T06:12:00Z"),
        ("epoch_s", "1795155060.123456789", "2026-11-20T06:11:00.123456Z"),
        ("epoch_s", "17951550605E-1", "2026-11-20T06:11:00.500000Z"),
        ("epoch_ms", "1.7951550605006E12", "2026-11-20T06:11:00.500600Z"),
        ("epoch_us", "1.795155060500600E15", "2026-11-20T06:11:00.500600Z"),
        ("epoch_ns", "1.795155060500600999E18", "2026-11-20T06:11:00.500600Z"),
        ("epoch_ns", "1795155060500600999", "2026-11-20T06:11:00.500600Z"),
        ("epoch_s", "1795155060,5", BAD),
        ("epoch_s", "1.7951550605E99", BAD),
        ("epoch_s", "1.7951550605E-9", BAD),
        ("epoch_s", "-1.7951550605E9", BAD),
        ("epoch_s", "0x6B00", BAD),
        ("epoch_s", "Infinity", BAD),
        ("epoch_s", 46346.29, BAD),
        ("epoch_s", 1_795_155_060_500, BAD),
        ("epoch_ms", 1_795_155_060, BAD),
        ("epoch_us", 1_795_155_060_500, BAD),
        ("epoch_s", True, BAD),
    ],
)
def test_a_number_is_what_digits_and_exponent_say(form: str, value: Any, expected: str) -> None:
    assert read_at({"date": form}, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("46346,2986111111", "2026-11-20T06:10:00Z"),
        ("46346.3194444444", "2026-11-20T06:40:00Z"),
        (46347, "2026-11-20T23:00:00Z"),
        ("4.63462986111111E4", "2026-11-20T06:10:00Z"),
        ("46346.00000001157", "2026-11-19T23:00:00.001000Z"),
        ("46346,999999999", "2026-11-20T23:00:00Z"),
        ("25569", BAD),
        ("46,346", BAD),
        ("46.346,29", BAD),
        ("-1", BAD),
        ("2958466", BAD),
        ("99999999999", BAD),
        ("20.11.2026", BAD),
        ("46320.1041666667", "AMBIGUOUS_TIME"),
    ],
)
def test_day_numbers_of_spreadsheets_are_wall_times_to_the_millisecond(value: Any, expected: str) -> None:
    assert read_at({"date": "excel"}, value) == expected


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00 UTC", "2026-07-20T06:10:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00 gmt", "2026-07-20T06:10:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00 Z", "2026-07-20T06:10:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00 CEST", BAD),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00 EST", BAD),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-20 06:10:00", BAD),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-20T06:10:00z", "2026-07-20T06:10:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-20T06:10:00-05:30", "2026-07-20T11:40:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-20T06:10:00+0099", BAD),
        ("%d.%m.%Y %H:%M:%S", "20.11.2026 24:00:00", "2026-11-20T23:00:00Z"),
        ("%d.%m.%Y %H:%M", "31.12.2026 24:00", "2026-12-31T23:00:00Z"),
        ("%d.%m.%Y %H:%M:%S", "20.11.2026 24:00:01", BAD),
        ("%d.%m.%Y %H:%M:%S", "20.11.2026 25:00:00", BAD),
        ("%d.%m.%Y %H:%M:%S", "20.11.2026 07:10:60", BAD),
        ("%d.%m.%Y %H:%M:%S.%f", "20.11.2026 07:10:00.123456789", "2026-11-20T06:10:00.123456Z"),
        ("%d.%m.%Y %H:%M:%S,%f", "20.11.2026 07:10:00,5", "2026-11-20T06:10:00.500000Z"),
        ("%Y%m%d%H%M%S%f", "20261120071000123", "2026-11-20T06:10:00.123000Z"),
        ("%d%m%Y", "1112026", BAD),
        ("%d.%m.%y", "1.2.26", "2026-01-31T23:00:00Z"),
        ("%m/%d/%Y", "20/11/2026", BAD),
        ("%m/%d/%Y %I:%M %p", "11/20/2026 12:10 AM", "2026-11-19T23:10:00Z"),
        ("%m/%d/%Y %I:%M %p", "11/20/2026 12:10 p.m.", "2026-11-20T11:10:00Z"),
        ("%m/%d/%Y %I:%M %p", "11/20/2026 13:10 PM", BAD),
        ("%m/%d/%Y %I:%M %p", "11/20/2026 0:10 AM", BAD),
        ("%a, %d %b %Y %H:%M:%S %Z", "Fri, 20 Nov 2026 06:10:00 GMT", "2026-11-20T06:10:00Z"),
        ("%a, %d %b %Y %H:%M:%S %Z", "Mon, 20 Nov 2026 06:10:00 GMT", BAD),
        ("%A %d %B %Y", "friday 20 NOVEMBER 2026", "2026-11-19T23:00:00Z"),
        ("%d. %b %Y", "20. Dez 2026", BAD),
        ("%Y-%j", "2026-324", "2026-11-19T23:00:00Z"),
        ("%Y-%j", "2026-366", BAD),
        ("%Y-%m-%d", "2026-02-29", BAD),
        ("%Y-%m-%d", "\u0662026-11-20", BAD),
        ("100%% %Y-%m-%d", "100% 2026-11-20", "2026-11-19T23:00:00Z"),
        ("iso", "2026-11-20T24:00:00", "2026-11-20T23:00:00Z"),
        ("iso", "2026-11-20 24:00", "2026-11-20T23:00:00Z"),
        ("iso", "2026-11-20T24:00:00.000z", "2026-11-21T00:00:00Z"),
        ("iso", "2026-11-20T24:00:00.001Z", BAD),
        ("iso", "2026-11-20T24:01:00Z", BAD),
        ("iso", "2026-11-20T24:00:00.000000000+02:00", "2026-11-20T22:00:00Z"),
        ("iso", "2026-11-20T06:10:00.123456789Z", "2026-11-20T06:10:00.123456Z"),
        ("iso", "2026-11-20T06:10:00,123456789+00:00", "2026-11-20T06:10:00.123456Z"),
        ("iso", "2026-W47-5T06:10:00Z", BAD),
        ("iso", "2026-11-20T06:10:00 PM", BAD),
        ("iso", "26-11-20T06:10:00Z", BAD),
        ("iso", "06:10:00", BAD),
    ],
)
def test_times_in_a_form(form: str, value: str, expected: str) -> None:
    assert read_at({"date": form}, value) == expected


def test_names_of_zones_tell_the_two_passes_of_the_repeated_hour_apart() -> None:
    function = {"date": "%Y-%m-%d %H:%M %Z", "zones": {"CET": "+01:00", "CEST": "+02:00", "W. Europe Standard Time": "+01:00"}}
    assert read_at(function, "2026-10-25 02:30 CEST") == "2026-10-25T00:30:00Z"
    assert read_at(function, "2026-10-25 02:30 cet") == "2026-10-25T01:30:00Z"
    assert read_at(function, "2026-10-25 02:30 W. Europe Standard Time") == "2026-10-25T01:30:00Z"
    assert read_at(function, "2026-10-25 02:30 EST") == BAD


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("tomorrow", "is no time format"),
        ("%d.%m.%Y %", "is no time format"),
        ("%H:%M:%S", "no whole date"),
        ("%d.%m. %H:%M", "no whole date"),
        ("%Y-%m", "no whole date"),
        ("%G-W%V-%u", "`%G`, which is not read here"),
        ("%Y-W%U-%w", "`%U`, which is not read here"),
        ("%c", "`%c`, which is not read here"),
        ("%s", "`%s`, which is not read here"),
        ("%-d.%m.%Y", "which is not read here"),
        ("%d.%m.%Y %I:%M", "%I without %p"),
        ("%d.%m.%Y %H:%M %p", "%p without %I"),
        ("%d.%m.%Y %M", "%M without"),
        ("%d.%m.%Y %H:%S", "%S without %M"),
        ("%d.%m.%Y %H:%M.%f", "%f without %S"),
        ("%d.%m.%Y %d", "twice"),
        ("%d.%m.%b.%Y", "twice"),
        ("%d.%m.%Y %H:%M %z %Z", "twice"),
        ("%Y%m%d%H%M%S.%f000", "behind %f"),
    ],
)
def test_forms_that_cannot_be_read_for_sure_are_refused_by_the_check(form: str, message: str) -> None:
    plant = plant_of([{"ignore": "true"}], {"occurred_at": {"path": "t", "date": form}})
    with pytest.raises(MappingError, match=message):
        compile_source("s", plant.sources["s"], plant)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ({"date": "epoch_s", "zone": "Europe/Prague"}, "takes no `zone`"),
        ({"date": "iso", "zones": {"CET": "+01:00"}}, "there is no `%Z`"),
    ],
)
def test_settings_that_would_say_nothing_are_refused(function: dict[str, Any], message: str) -> None:
    plant = plant_of([{"ignore": "true"}], {"occurred_at": {"path": "t", **function}})
    with pytest.raises(MappingError, match=message):
        compile_source("s", plant.sources["s"], plant)


def test_date_and_time_of_two_fields() -> None:
    function = {"join": ["d", "t"], "date": "%d.%m.%Y %H:%M:%S"}
    assert read_at(function, "07:10:00", d="20.11.2026") == "2026-11-20T06:10:00Z"
    assert read_at(function, "24:00:00", d="20.11.2026") == "2026-11-20T23:00:00Z"
    assert read_at(function, "", d="20.11.2026") == "MISSING_FIELD"
    assert read_at(function, "07:10:00") == "MISSING_FIELD"
    nested = {"join": ["d", {"path": "t", "pad": 6}], "by": "T", "date": "%Y%m%dT%H%M%S"}
    assert read_at(nested, 71000, d=20261120) == "2026-11-20T06:10:00Z"


LOCAL = {"path": "ts", "ambiguous": "first"}


@pytest.mark.parametrize(
    ("read", "plant", "refused"),
    [
        ({"occurred_at": LOCAL}, {}, True),
        ({"occurred_at": {**LOCAL, "ambiguous": "second"}}, {}, True),
        ({"occurred_at": {**LOCAL, "ambiguous": "reject"}}, {}, False),
        ({"occurred_at": {**LOCAL, "ambiguous": "arrival"}, "received_at": "rx"}, {}, False),
        ({"occurred_at": LOCAL, "sequence": "n"}, {}, False),
        ({"occurred_at": {**LOCAL, "zone": "Asia/Bangkok"}}, {}, False),
        ({"occurred_at": {**LOCAL, "date": "%Y-%m-%dT%H:%M:%S%z"}}, {}, False),
        ({"occurred_at": LOCAL}, {"equipment": {"M1": {"counters": {"shots": {"shows": "increment"}}}}}, False),
        ({"occurred_at": LOCAL}, {"equipment": {"M1": {"counters": {"shots": {"shows": "remaining"}}}}}, True),
        ({"occurred_at": LOCAL}, {"equipment": {"M1": {"counters": {"shots": {"shows": "signal"}}}}}, True),
    ],
)
def test_totals_in_local_time_are_right_through_the_repeated_hour_or_refused(
    read: dict[str, Any], plant: dict[str, Any], refused: bool
) -> None:
    """Laid over each other, 100, 150 and then 160, 200 would be 100, 160, 150, 200: a fall that was none."""
    found = plant_of([{"emit": "CounterReading", "counter": "=shots", "value": "v"}], {"equipment": "=M1", **read}, **plant)
    if not refused:
        compile_source("s", found.sources["s"], found)
        return
    with pytest.raises(MappingError, match="lays the two passes"):
        compile_source("s", found.sources["s"], found)


@pytest.mark.parametrize("pass_", ["first", "second", "arrival"])
@pytest.mark.parametrize("in_rule", [False, True])
def test_an_arrival_that_is_guessed_itself_decides_nothing(pass_: str, in_rule: bool) -> None:
    time = {"path": "t", "ambiguous": "arrival"}
    rule = {"emit": "OrderClosed", "order": "=1", **({"occurred_at": time} if in_rule else {})}
    plant = plant_of([rule], {"occurred_at": "ts" if in_rule else time, "received_at": {"path": "rx", "ambiguous": pass_}})
    with pytest.raises(MappingError, match="is certain in the repeated hour"):
        compile_source("s", plant.sources["s"], plant)


def test_an_arrival_must_be_stated_also_for_the_time_of_a_rule() -> None:
    rule = {"emit": "OrderClosed", "order": "=1", "occurred_at": {"path": "t", "ambiguous": "arrival"}}
    plant = plant_of([rule], {"occurred_at": "ts"})
    with pytest.raises(MappingError, match="needs a `received_at`"):
        compile_source("s", plant.sources["s"], plant)


EXPECTED = {
    "panel": ["2026-11-20T06:10:00Z", "2026-11-20T06:40:00Z", "2026-11-20T23:00:00Z"],
    "sheet": ["2026-11-20T06:10:00Z", "2026-11-20T06:40:00Z", "2026-11-20T23:00:00Z", "2026-11-20T05:00:00.003000Z"],
    "export": ["2026-07-20T06:10:00Z", "2026-07-20T00:10:00Z", "2026-07-20T16:10:00Z", BAD, BAD],
    "gateway": ["2026-11-20T06:10:00Z", "2026-11-20T06:11:00.500000Z", "2026-11-20T06:12:00Z", "2026-11-20T06:13:00Z", BAD],
}


@pytest.mark.parametrize("source", EXPECTED)
def test_the_samples_are_read_as_they_mean(source: str) -> None:
    mapper = mappers(load(TIMES))[source]
    sample = next(path for path in TIMES.iterdir() if path.match(mapper.files[0]))
    found = [item for number, value in cut(sample, mapper.read) for item in mapper.map(RawRecord(value, source, "f", number))]
    assert [told(item) for item in found] == EXPECTED[source]


def test_neither_zone_nor_language_of_the_host_has_a_say() -> None:
    """Whichever zone and language a host has, the same file gives the same events."""
    told = set()
    for zone, language in (("UTC", "C"), ("America/New_York", "C.UTF-8"), ("Europe/Prague", "de_DE.UTF-8")):
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONUTF8": "1"}
        command = [sys.executable, "-m", "app.cli.main", "config", "try", "--config", str(TIMES), "--json", "--source"]
        found = subprocess.run(
            [*command, "export", str(TIMES / "export-sample.csv")], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        assert found.returncode == 1, found
        told.add(found.stdout)
    assert len(told) == 1
    assert told.pop().count(b"BAD_TIME") >= len([code for code in EXPECTED["export"] if code == BAD])


def test_no_mapping_asks_the_c_library_about_times() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "streams").rglob("*.py"))
    for name in ("strptime", "strftime", "locale", "localtime", "mktime", "fromtimestamp", "tzname"):
        assert name not in source, name
