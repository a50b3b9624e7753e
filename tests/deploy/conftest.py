"""What the tests of the chart need; where this machine lacks it they are skipped with the reason."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.deploy.chart import GIVEN, Rendered, render, values_of
from tests.platform import helm
from tests.platform.maven import Missing

Chart = Callable[..., Rendered]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """A profile with values over it: `rendered("plant", {"kafka": {...}}, notes=True)`. Raises Refused."""
    try:
        helm.helm()
    except Missing as missing:
        pytest.skip(f"needs helm: {missing}")
    folder, known = tmp_path_factory.mktemp("chart"), {}

    def made(profile: str = "", values: Mapping[str, Any] | None = None, *, notes: bool = False) -> Rendered:
        key = f"{profile} {values} {notes}"
        if key not in known:
            arguments = values_of(profile) if profile else []
            known[key] = render(folder, merged(GIVEN, values or {}), *arguments, notes=notes)
        return known[key]

    return made


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """As helm puts values over values."""
    found = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found
