"""An adapter whose ERP may repeat what it was sent: its answers leave without the secrets they may hold.

And whose secret may change while it is used: from then on an adapter that knows the new one is called. Calls that are on their
way end with the one that they began with.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.erp.master import MasterChanges
from app.erp.port import Answer, BookedConfirmation, BookedMovement, Capabilities, Document, ErpAdapter, ErpUnavailable
from app.observability.secrets import Secrets
from app.secret import SecretInUse

MAX_CODE_CHARACTERS = 64


@dataclass(slots=True)
class _Connected:
    secret: str
    adapter: ErpAdapter
    calls: int = 0
    """On their way."""


class DiscreetAdapter:
    """app.erp.port.ErpAdapter over another one. Codes and details of its answers go into the log, the ledger and reports."""

    def __init__(self, connect: Callable[[str], ErpAdapter], secret: SecretInUse, secrets: Secrets) -> None:
        """`connect`: makes the adapter for a value of `secret`, without calling the ERP."""
        self._connect, self._secret, self._secrets = connect, secret, secrets
        value = secret.current() or ""
        self._now = _Connected(value, connect(value))
        self._former: list[_Connected] = []

    @property
    def adapter(self) -> ErpAdapter:
        """The one that is called now."""
        return self._now.adapter

    @property
    def capabilities(self) -> Capabilities:
        return self.adapter.capabilities

    async def post(self, document: Document) -> Answer:
        async with self._connected() as adapter:
            return self._without(await adapter.post(document))

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        async with self._connected() as adapter:
            return self._without(await adapter.find(posting_id, content_hash))

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        async with self._connected() as adapter:
            return await adapter.movements(orders)

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        async with self._connected() as adapter:
            return await adapter.confirmations(orders)

    async def master_data(self, since: str) -> MasterChanges:
        async with self._connected() as adapter:
            return await adapter.master_data(since)

    async def close(self) -> None:
        for connected in (*self._former, self._now):
            await connected.adapter.close()
        self._former.clear()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ErpAdapter]:
        """Raises ErpUnavailable as the adapter does, without secrets."""
        value = self._secret.current() or ""
        if value != self._now.secret:
            self._former.append(self._now)
            self._now = _Connected(value, self._connect(value))
        now = self._now
        now.calls += 1
        try:
            yield now.adapter
        except ErpUnavailable as error:
            raise self._unavailable(error) from None
        finally:
            now.calls -= 1
            for idle in [one for one in self._former if not one.calls]:
                self._former.remove(idle)
                await idle.adapter.close()

    def _without(self, answer: Answer) -> Answer:
        hide = self._secrets.hide
        return replace(
            answer,
            erp_document=hide(answer.erp_document),
            code=hide(answer.code)[:MAX_CODE_CHARACTERS],
            detail=hide(answer.detail),
        )

    def _unavailable(self, error: ErpUnavailable) -> ErpUnavailable:
        return ErpUnavailable(self._secrets.hide(error.code)[:MAX_CODE_CHARACTERS], self._secrets.hide(error.detail))
