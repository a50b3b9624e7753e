"""Correlation ids of the raw records behind a quantity: the newest of them, in any order of arrival."""

from collections.abc import Collection, Iterable, Mapping

from schemas.records import AccountRow, Correlation, DeclarationRow, EquipmentRow, RunState, TotalState

MAX_CORRELATIONS = 16
"""Ids of one total and of one posting; of more the newest stay."""


def add(known: list[Correlation], more: Iterable[Correlation]) -> None:
    """Join `more` into `known`: one entry per id, sorted by time. The result does not depend on the order of the calls."""
    newest = {one.id: one.at for one in known}
    for one in more:
        newest[one.id] = max(one.at, newest.get(one.id, one.at))
    ordered = sorted((at, name) for name, at in newest.items())
    known[:] = [Correlation(name, at) for at, name in ordered[-MAX_CORRELATIONS:]]


def declared(row: EquipmentRow, declaration: DeclarationRow) -> None:
    """Note the id of a declaration where it gives something. Its shares are in the totals already."""
    if declaration.correlation_id:
        for destination in {share.destination for share in declaration.shares}:
            add(row.totals[destination].correlations, _of(declaration))


def moved(row: EquipmentRow, destinations: Collection[str], declarations: Iterable[DeclarationRow], before_us: int) -> None:
    """Declarations went from or to these destinations: their ids are collected anew from `declarations`, all that are kept.
    What occurred before `before_us` is kept no longer, and moves no more."""
    left = {key: row.totals[key] for key in destinations if key in row.totals}
    for total in left.values():
        total.correlations = [one for one in total.correlations if one.at < before_us]
    for declaration in declarations if left else ():
        for destination in {share.destination for share in declaration.shares} if declaration.correlation_id else ():
            if destination in left:
                add(left[destination].correlations, _of(declaration))


def of_total(total: TotalState, run: RunState | None) -> list[Correlation]:
    """The ids of its declarations and of its run: readings, states and log-ins have their run's."""
    found = list(total.correlations)
    if run is not None and run.correlation_id:
        began = total.first_at if run.started_at is None else run.started_at
        add(found, [Correlation(run.correlation_id, began)])
    return found


def behind(account: AccountRow, counts: Mapping[str, int]) -> list[str]:
    """The ids behind an account, in the order of their time. `counts`: weight of each source."""
    found: list[Correlation] = []
    for key, source in account.sources.items():
        if counts[key] and source.numerator:
            add(found, source.correlations)
    return [one.id for one in found]


def _of(declaration: DeclarationRow) -> list[Correlation]:
    return [Correlation(declaration.correlation_id, declaration.occurred_at)]
