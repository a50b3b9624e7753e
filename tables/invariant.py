"""Guards of invariants: what must be impossible ends the process, also where `assert` is switched off."""


class InvariantBroken(RuntimeError):
    """A defect of the program, never of the data. Nothing of the step that raised it is committed."""

    def __init__(self, invariant: str, detail: str) -> None:
        """`invariant`: its number in docs/invariants.md."""
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
