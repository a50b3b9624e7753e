"""The secrets of several endpoints in one process: each has its own, each may change, and logs show none of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.delivery import EndpointPlace, ErpCalls
from app.erp.discreet import DiscreetAdapter
from app.erp.endpoint_plan import EndpointPlan
from app.erp.metrics import ErpMetrics
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.observability.secrets import Secrets
from app.settings import Settings
from schemas.codec import Codec
from tests.unit.streams.quality_bench import configuration

FIRST, SECOND, THIRD = "canary-of-the-first-4711", "canary-of-the-second-4712", "canary-of-the-third-4713"


def posting_to(endpoint: str, **erp: Any) -> Any:
    stated = {"adapter": "sim", "url": f"http://127.0.0.1:1/{endpoint}", "secret": f"erp-{endpoint}", "endpoint": endpoint, **erp}
    return configuration(erp={"erp": stated})


async def test_each_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivery hears of them from the log, so the process did not know them when it began to write its log."""
    one, two = tmp_path / "one", tmp_path / "two"
    for file, secret in ((one, FIRST), (two, SECOND)):
        file.write_text(secret, encoding="utf-8")
        monkeypatch.setenv(f"ERP_{file.name.upper()}_FILE", str(file))
    hidden, named = Secrets(), [posting_to("one"), posting_to("two")]
    known = {each.hash: each for each in named}
    process: Any = SimpleNamespace(
        settings=Settings(Connection(Broker("127.0.0.1:1"), ""), datadir=str(tmp_path)),
        codec=Codec(),
        known=[],
        installation=SimpleNamespace(configuration=known.__getitem__),
        learn=hidden.learn,
    )
    app: Any = SimpleNamespace(last_commit_boottime=0.0)
    metrics = ErpMetrics(CollectorRegistry(), "one")
    calls = [ErpCalls(app, EndpointPlace(name, at), process, metrics.of(name), []) for at, name in enumerate(("one", "two"))]
    try:
        for each, stated in zip(calls, named, strict=True):
            plan = EndpointPlan.of({"P": stated}, {}, {})
            assert plan is not None
            each._compose(plan)
            each._compose(plan)
        adapters = [each._executor._adapter for each in calls if each._executor is not None]
        two.unlink()
        two.write_text(THIRD, encoding="utf-8")
        assert hidden.hide(f"{FIRST} {SECOND} {THIRD}") == "*** *** ***"
        in_use = [adapter._secret.current() for adapter in adapters if isinstance(adapter, DiscreetAdapter)]
        assert in_use == [FIRST, THIRD]
        assert len(hidden._in_use) == 2, "a configuration that changes is told again only when it names another one"
    finally:
        for each in calls:
            if each._outcomes is not None:
                each._outcomes.close()
