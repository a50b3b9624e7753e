"""I7: of all process values that were planted, none is in any request that the ERP got."""

import asyncio
import json

import httpx

from app.erp.canary import Leak, find_leaks
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from tests.e2e.conftest import Demo


async def recorded(simulator: SimulatorProcess) -> list[bytes]:
    control = SimulatorControl(simulator.url, simulator.token)
    try:
        return [request.raw() async for request in control.requests()]
    finally:
        await control.close()


def leaks(simulator: SimulatorProcess, canaries: tuple[str, ...]) -> tuple[int, list[Leak]]:
    """How many requests were searched, and what was found."""
    requests = asyncio.run(recorded(simulator))
    return len(requests), find_leaks(requests, canaries)


def test_no_process_value_reached_the_erp_and_one_that_did_would_be_found(demo: Demo) -> None:
    canaries = demo.truth.canaries
    assert len(canaries) > 1
    with SimulatorProcess(next(demo.out.glob("erp-sim-*"))) as simulator:
        searched, found = leaks(simulator, canaries)
        posts = demo.outcome.json["calls"]["attempts"]
        assert searched >= posts > 0, "all calls of the run are recorded"
        assert found == []
        said = demo.outcome.json["telemetry"]
        assert (said["requests"], said["leaks"]) == (searched, []), "the report looked at every request that the ERP got"
        assert said["looked_for"] >= len(canaries)

        body = json.dumps({"lines": [], "note": f"wear {canaries[-1]}"})
        httpx.post(
            f"{simulator.url}/documents", content=body, headers={"Authorization": f"Bearer {simulator.token}"}, trust_env=False
        )
        again, found = leaks(simulator, canaries)
        assert again == searched + 1
        assert [(leak.request, leak.canary) for leak in found] == [(searched, canaries[-1])]
