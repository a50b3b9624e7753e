"""That an ERP is away is one line in the process's log when it begins and one when it is over."""

from collections.abc import Callable

import structlog

from app.erp.port import Answer
from schemas.records import ErpHeld
from tables.delivery.posting_state import ERP_AWAY


class ErpOutage:
    """Each line is a record of delivery's inbox as well."""

    def __init__(self, send: Callable[[ErpHeld], None], wall_us: Callable[[], int]) -> None:
        self._send, self._wall_us = send, wall_us
        self.since = 0
        """UTC microseconds; 0: it is there."""

    def tell(self, away: bool, answer: Answer, waiting: int) -> None:
        """`answer`: of what was tried last. `waiting`: lanes. Tells of the beginning and the end, whatever is tried meanwhile."""
        if away == bool(self.since):
            return
        told, now = structlog.get_logger(__name__), self._wall_us()
        if away:
            self.since = now
            told.error("erp_away", code=ERP_AWAY, detail=f"{answer.code}: {answer.detail}; {waiting} lanes wait")
        else:
            seconds = (now - self.since) // 1_000_000
            told.warning("erp_back", code=ERP_AWAY, detail=f"after {seconds} s; {waiting} lanes wait")
            self.since = 0
        self._send(ErpHeld(until=now, kind="away" if away else "back", code=answer.code if away else ""))
