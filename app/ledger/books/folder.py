"""The folder that a run writes: ledger, report, and beside them the exports."""

from pathlib import Path

DEFAULT_OUT = Path("out")
"""Where a run writes and questions look when they are not told."""
EXPORTED = "postings.csv"
"""In it, unless the run is told another file."""

CHECKPOINT = Path(".checkpoint")
"""In it, while a run is not finished: where it stands."""
ASKED = "run.json"
"""In the checkpoint: what the run was asked."""


def not_posted(exported: Path) -> Path:
    """The file beside the export, with what is not posted."""
    return exported.with_name(exported.stem + ".not_posted.csv")
