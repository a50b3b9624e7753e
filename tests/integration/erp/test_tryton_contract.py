"""The adapter contract on the real Tryton."""

import pytest

from app.erp.tryton.adapter import TrytonAdapter
from tests.integration.erp.contract import CASES, STOCK_CASES, Case, case_name, order_of

pytestmark = pytest.mark.tryton


@pytest.mark.parametrize("case", [*CASES, *STOCK_CASES], ids=case_name)
async def test_contract(case: Case, adapter: TrytonAdapter) -> None:
    await case(adapter, order_of(case))
