"""One call of an adapter as an answer, whatever becomes of it, and the record that it leaves."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from app.erp.metrics import ErpMetrics
from app.erp.port import Answer
from app.erp.timebase import Timebase
from schemas.records import AttemptEnded
from tables.delivery.scopes import scope_of

MAX_DETAIL_CHARACTERS = 500


async def asked(name: str, call: Coroutine[Any, Any, Answer], seconds: float, metrics: ErpMetrics, time: Timebase) -> Answer:
    """`name`: post, find or probe. A call that hangs for `seconds`, and an adapter that raises, are unknown."""
    started = time.monotonic_ns()
    try:
        answer = await asyncio.wait_for(call, seconds)
    except TimeoutError:
        answer = Answer("unknown", code="ERP_TIMEOUT", detail="the adapter did not come back in time")
    except Exception as defect:
        # It may have happened after sending: never taken for a failure.
        structlog.get_logger(__name__).exception("adapter_defect", code="ADAPTER_DEFECT", call=name)
        answer = Answer("unknown", code="ADAPTER_DEFECT", detail=type(defect).__name__)
    metrics.calls.labels(name, answer.result).inc()
    metrics.seconds.labels(name).observe((time.monotonic_ns() - started) / 1e9)
    return answer


def attempt_end(posting_id: str, attempt: int, call: str, answer: Answer) -> AttemptEnded:
    """What delivery's inbox is told of an attempt."""
    return AttemptEnded(
        posting_id=posting_id,
        attempt=attempt,
        result=answer.result,
        call=call,
        erp_document=answer.erp_document,
        duplicate=answer.duplicate,
        code=answer.code,
        detail=answer.detail[:MAX_DETAIL_CHARACTERS],
        retry_after_ms=answer.retry_after_ms,
        scope=scope_of(answer.scope, answer.code),
    )
