"""Circles of objects are looked for seldom, and as before afterwards."""

import gc

from app.cycles import OF_A_RUN, OF_A_WORKER, seldom_looked_for


def test_thresholds_hold_for_the_context_only() -> None:
    before = gc.get_threshold()
    for thresholds in (OF_A_RUN, OF_A_WORKER):
        with seldom_looked_for(thresholds):
            assert gc.get_threshold() == thresholds
            assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == before
        assert gc.get_freeze_count() == 0


def test_what_was_there_is_not_looked_at() -> None:
    """Only what is made within the context counts among the objects of a look."""
    kept = [[number] for number in range(1_000)]
    with seldom_looked_for(OF_A_RUN):
        assert len(gc.get_objects()) < len(kept)


def test_a_circle_goes_all_the_same() -> None:
    class Held:
        gone = False

        def __del__(self) -> None:
            Held.gone = True

    with seldom_looked_for(OF_A_WORKER):
        held = Held()
        held.itself = held  # type: ignore[attr-defined]
        del held
        gc.collect()
        assert Held.gone
