"""How long a posting waits, and when waiting is over: microseconds."""

import pytest

from schemas.configuration.erp import Retry
from tables.delivery.backoff import delay_us, gives_up

S = 1_000_000
RETRY = Retry.model_validate({"first": "2 s", "at_most": "15 s", "give_up": "60 s"})


@pytest.mark.parametrize(
    ("failures", "asked_ms", "waits_s"),
    [
        (0, 0, 2),
        (1, 0, 2),
        (2, 0, 4),
        (3, 0, 8),
        (4, 0, 15),
        (1_000_000, 0, 15),
        (1, 1_500, 2),
        (1, 9_000, 9),
        (4, 40_000, 40),
    ],
)
def test_it_doubles_up_to_its_most_and_is_never_less_than_the_erp_asked_for(failures: int, asked_ms: int, waits_s: int) -> None:
    assert delay_us(RETRY, failures, asked_ms) == waits_s * S


@pytest.mark.parametrize(("give_up", "waited_s", "over"), [("60 s", 60, False), ("60 s", 61, True), ("0 s", 10**9, False)])
def test_waiting_ends_behind_its_limit_and_without_one_never(give_up: str, waited_s: int, over: bool) -> None:
    retry = Retry.model_validate({"give_up": give_up})
    assert gives_up(retry, waited_s * S) is over
