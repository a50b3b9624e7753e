"""An adapter whose ERP may repeat what it was sent: its answers leave without the secrets they may hold."""

from collections.abc import Sequence
from dataclasses import replace

from app.erp.master import MasterChanges
from app.erp.port import Answer, BookedConfirmation, BookedMovement, Capabilities, Document, ErpAdapter, ErpUnavailable
from app.observability.secrets import Secrets

MAX_CODE_CHARACTERS = 64


class DiscreetAdapter:
    """app.erp.port.ErpAdapter over another one. Codes and details of its answers go into the log, the ledger and reports."""

    def __init__(self, adapter: ErpAdapter, secrets: Secrets) -> None:
        self.adapter, self._secrets = adapter, secrets

    @property
    def capabilities(self) -> Capabilities:
        return self.adapter.capabilities

    async def post(self, document: Document) -> Answer:
        return self._without(await self.adapter.post(document))

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        return self._without(await self.adapter.find(posting_id, content_hash))

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        try:
            return await self.adapter.movements(orders)
        except ErpUnavailable as error:
            raise self._unavailable(error) from None

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        try:
            return await self.adapter.confirmations(orders)
        except ErpUnavailable as error:
            raise self._unavailable(error) from None

    async def master_data(self, since: str) -> MasterChanges:
        try:
            return await self.adapter.master_data(since)
        except ErpUnavailable as error:
            raise self._unavailable(error) from None

    async def close(self) -> None:
        await self.adapter.close()

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
