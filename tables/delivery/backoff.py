"""How long a posting waits after an attempt that booked nothing, and when waiting is over. Integer microseconds."""

from schemas.configuration.erp import Booking, Retry
from schemas.configuration.values import duration_us

MAX_DOUBLINGS = 30


def delay_us(retry: Retry, failures: int, retry_after_ms: int = 0) -> int:
    """Doubles with each failure (from 1) up to the configured most; never less than the ERP asked for."""
    doubled = retry.first_us << min(max(failures, 1) - 1, MAX_DOUBLINGS)
    return max(min(doubled, retry.at_most_us), retry_after_ms * 1_000)


def gives_up(retry: Retry, waited_us: int) -> bool:
    """`give_up: 0` never does."""
    return 0 < retry.give_up_us < waited_us


def shortage_parks(booking: Booking, waited_us: int) -> bool:
    """`short_of_stock: park` at once; `retry 4 h` when it has waited longer than that."""
    if booking.short_of_stock == "park":
        return True
    return waited_us > duration_us(booking.short_of_stock.removeprefix("retry "))
