"""The ERP of a run: the plant's own, one that the run starts, or none."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.erp.connector import ErpMasterData, Starting, connector_of
from app.secret import variable_of
from schemas.configuration import Configuration
from schemas.configuration.adapters import ADAPTERS, NO_ADAPTER

URL_VARIABLE, TOKEN_SECRET = "LINELEDGER_ERP_URL", "lineledger-erp-token"


@dataclass(slots=True, frozen=True)
class RunErp:
    """`environ`: what delivery must have in its environment. `name`: for the report."""

    name: str
    configuration: Configuration
    environ: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    """Name of the folder below the run's output that keeps the simulator's books; empty: another ERP."""
    lasts: bool = True
    """Its books are still there when a run that died goes on."""


def with_adapter(configuration: Configuration, adapter: str) -> Configuration:
    """The same plant and rules, posting to `adapter` under the addresses that the run sets."""
    endpoint = configuration.erp.erp.model_copy(
        update={"adapter": adapter, "url": "${" + URL_VARIABLE + "}", "secret": TOKEN_SECRET}
        if adapter != NO_ADAPTER
        else {"adapter": NO_ADAPTER}
    )
    erp = configuration.erp.model_copy(update={"erp": endpoint})
    return Configuration.of(configuration.plant, configuration.rules, erp)


@contextlib.contextmanager
def started(
    choice: str,
    configuration: Configuration,
    directory: Path,
    home: Path,
    opening: Callable[[], ErpMasterData],
    run: str,
) -> Iterator[RunErp]:
    """`choice`: what `--erp` says; empty: as erp.yaml says. `run`: its name, the same when it goes on. A server that is started
    here ends with the context."""
    wanted, url = choice or configuration.erp.erp.adapter, configuration.erp.erp.url
    entry = ADAPTERS.get(wanted)
    alone = entry is not None and entry.started == "alone" and (not url or URL_VARIABLE in url)
    start = connector_of(wanted).start if entry is not None and (choice or alone) else None
    if entry is not None and start is not None:
        with start(Starting(configuration, directory, home, opening, run)) as own:
            environ = {URL_VARIABLE: own.url, variable_of(TOKEN_SECRET): own.secret}
            yield RunErp(entry.title, with_adapter(configuration, wanted), environ, own.store, bool(own.store))
    elif wanted == NO_ADAPTER:
        yield RunErp("no ERP", with_adapter(configuration, NO_ADAPTER))
    else:
        yield RunErp(wanted, configuration)
