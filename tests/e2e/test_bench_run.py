"""`make bench-run` in its short form: exact at both clock steps, with figures that a script can read."""

import json

import pytest

from benchmarks import recorded


def test_the_short_form_gives_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded.main(short=True) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["shots"] > 100 and result["short"] is True
    for step in recorded.STEPS:
        assert result[step]["cpu_seconds"] > 0 and result[step]["peak_mb"] > 10 and result[step]["shots_per_second"] > 0


def test_a_run_that_fails_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of a run that was not exact would be figures of nothing."""
    monkeypatch.setitem(recorded.STEPS, "60 s", "step: 61 parsecs")
    with pytest.raises(RuntimeError, match="60 s ended with exit code"):
        recorded.main(short=True)
