"""What erp.yaml asks of its adapter, against what the adapter can do."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from app.configuration.problems import ConfigurationFinding
from schemas.configuration import ErpConfig, PlantConfig, RulesConfig
from schemas.configuration.adapters import AdapterEntry
from schemas.configuration.erp import LOCAL_HOSTS
from tables.delivery.hold_gate import gate


def endpoint(erp: ErpConfig) -> Iterator[ConfigurationFinding]:
    """Problems of the ERP's address."""
    url, entry = erp.erp.url, erp.erp.entry
    parts = urlsplit(url)
    if parts.password is not None or ("@" in parts.netloc and not (entry is not None and entry.user_in_url)):
        yield ConfigurationFinding("erp.yaml", ("erp", "url"), "an address holds no user and password; name them in `secret`")
    elif parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and not erp.erp.insecure:
        yield ConfigurationFinding(
            "erp.yaml", ("erp", "url"), "http:// to another machine; use https://, or state `insecure: true`"
        )
    elif url and not url.startswith(("http://", "https://", "${")):
        alone = entry is not None and entry.started == "alone"
        hint = "; leave it out: `lineledger run` starts a simulator of its own" if alone else ""
        yield ConfigurationFinding("erp.yaml", ("erp", "url"), f"an address begins with https://, http:// or ${{NAME}}{hint}")
    elif not url and entry is not None and entry.started != "alone":
        yield ConfigurationFinding("erp.yaml", ("erp",), f"`adapter: {erp.erp.adapter}` needs `url`: {entry.where_from}")
    if url and entry is not None and entry.secret and not erp.erp.secret:
        message = f"SECRET_MISSING: `adapter: {erp.erp.adapter}` logs in, and `url` is there without `secret`; name one"
        yield ConfigurationFinding("erp.yaml", ("erp", "url"), message)


def for_live_use(erp: ErpConfig) -> Iterator[str]:
    """What a run does without and a live installation does not: no problem of the file."""
    entry = erp.erp.entry
    if entry is not None and not erp.erp.url:
        yield (
            f"`lineledger up` and `worker` need `url` with `adapter: {erp.erp.adapter}`: {entry.where_from} in `erp.url`, "
            "its token by `erp.secret`"
        )


def capabilities(plant: PlantConfig | None, rules: RulesConfig | None, erp: ErpConfig) -> Iterator[ConfigurationFinding]:
    """Settings that the adapter cannot keep: each would end in refused postings, or never begin."""
    entry, says = erp.erp.entry, f"`adapter: {erp.erp.adapter}`"
    if entry is None:
        return
    if erp.erp.idempotent and not entry.idempotent:
        yield ConfigurationFinding("erp.yaml", ("erp", "idempotent"), f"{says} cannot tell a repetition; leave `idempotent` out")
    if erp.erp.lines_per_document > entry.most_lines:
        message = f"{says} takes {entry.most_lines} lines in one document; write `lines_per_document: {entry.most_lines}`"
        yield ConfigurationFinding("erp.yaml", ("erp", "lines_per_document"), message)
    if erp.erp.concurrency > 1 and entry.lock == "erp":
        yield ConfigurationFinding("erp.yaml", ("erp", "concurrency"), f"{says} takes one call at a time; write `concurrency: 1`")
    yield from _units(erp, entry)
    if plant is not None and plant.master_data.pulled and not entry.master_data:
        message = f"{says} gives no master data; let orders and materials come by a topic"
        yield ConfigurationFinding("plant.yaml", ("master_data",), message)
    yield from () if rules is None else _stock_types(rules, entry, says)


def _stock_types(rules: RulesConfig, entry: AdapterEntry, says: str) -> Iterator[ConfigurationFinding]:
    for key, kind in (("receipt", "yield"), ("consumption", "consumption"), ("scrap", "scrap"), ("rework", "rework")):
        held = gate(rules.on_hold, kind, held=True)
        if held.open and held.stock_type not in entry.stock_types:
            message = (
                f"{says} has no {held.stock_type} stock; choose another answer than {held.answer} for {key} of a lot on hold"
            )
            yield ConfigurationFinding("rules.yaml", ("on_hold", key), message)


def _units(erp: ErpConfig, entry: AdapterEntry) -> Iterator[ConfigurationFinding]:
    if entry.units is None:
        return
    known = ", ".join(sorted(entry.units))
    for unit, written in erp.identifiers.unit.items():
        if written not in entry.units:
            message = f"`adapter: {erp.erp.adapter}` has no unit `{written}`; it has {known}"
            yield ConfigurationFinding("erp.yaml", ("identifiers", "unit", unit), message)
    for kind, booking in erp.book.items():
        written = erp.identifiers.unit.get(booking.unit, booking.unit)
        if written and written not in entry.units and booking.unit not in erp.identifiers.unit:
            message = f"`adapter: {erp.erp.adapter}` has no unit `{written}`; it has {known}"
            yield ConfigurationFinding("erp.yaml", ("book", kind, "unit"), message)
