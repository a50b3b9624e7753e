"""The first records of a fresh Tryton database: own passwords, a company, its warehouse, the posting user."""

from collections.abc import Callable
from decimal import Decimal

from app.erp.tryton.rpc import TrytonRpc

SCRAP_LOCATION, QUARANTINE_LOCATION = "SCRAP", "QUARANTINE"
POSTING_GROUP = "Shop-Floor Posting"


async def make_company(
    connect: Callable[[str], TrytonRpc],
    template_password: str,
    admin_password: str,
    posting_user: str,
    posting_password: str,
) -> None:
    """Turn a copy of the template into an ERP with one company. `connect`: calls as the administrator with that
    password. Raises Failure."""
    first = connect(template_password)
    try:
        (admin,) = await first.call("res.user", "search", [["login", "=", "admin"]], 0, 1, None)
        await first.call("res.user", "write", [admin], {"password": admin_password})
    finally:
        await first.close()
    second = connect(admin_password)
    try:
        company = await _company(second)
        # The administrator's session learns its company at the next login.
        await second.call("res.user", "write", [admin], {"companies": [["add", [company]]], "company": company})
        await _warehouse(second)
        (group,) = await second.call("res.group", "search", [["name", "=", POSTING_GROUP]], 0, 1, None)
        user = {
            "name": "Shop-Floor Posting",
            "login": posting_user,
            "password": posting_password,
            "groups": [["add", [group]]],
            "companies": [["add", [company]]],
            "company": company,
        }
        await second.call("res.user", "create", [user])
    finally:
        await second.close()


async def _company(rpc: TrytonRpc) -> int:
    euro = {"name": "Euro", "code": "EUR", "symbol": "EUR", "digits": 2, "rounding": Decimal("0.01")}
    (currency,) = await rpc.call("currency.currency", "create", [euro])
    (party,) = await rpc.call("party.party", "create", [{"name": "Works"}])
    (company,) = await rpc.call("company.company", "create", [{"party": party, "currency": currency}])
    return int(company)


async def _warehouse(rpc: TrytonRpc) -> None:
    """Scrap and quarantine beside the storage zone, so that nothing is picked from them."""
    (warehouse,) = await rpc.call("stock.location", "search", [["type", "=", "warehouse"]], 0, 1, None)
    scrap, quarantine = await rpc.call(
        "stock.location",
        "create",
        [
            {"name": "Scrap", "code": SCRAP_LOCATION, "type": "lost_found"},
            {"name": "Quarantine", "code": QUARANTINE_LOCATION, "type": "storage", "parent": warehouse},
        ],
    )
    values = {"waste_locations": [["add", [scrap]]], "quarantine_location": quarantine}
    await rpc.call("stock.location", "write", [warehouse], values)
