"""How often Python looks for circles: objects that hold each other and that nobody else holds.

It looks whenever some hundred objects were made, and now and then at all there are: a quarter of the time of a process that makes
millions of them, most of it over what was there from the start. Circles are made only where something goes wrong.
"""

import contextlib
import gc
from collections.abc import Iterator

OF_A_RUN = (200_000, 50, 1_000)
"""Objects, and looks at each generation, between two looks at the next one. A run ends."""
OF_A_WORKER = (50_000, 20, 20)
"""A worker stays: all that it made since its start is looked at after some ten million objects."""


@contextlib.contextmanager
def seldom_looked_for(thresholds: tuple[int, int, int]) -> Iterator[None]:
    """For as long as the context lasts, by `thresholds`, and never among what is there at its beginning."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*thresholds)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
