"""Two recordings of real mills that stand in the tool room of the demo plant. Data: NIST SMS Test Bed."""

from dataclasses import dataclass
from pathlib import Path

EXCERPTS = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "nist-smstestbed"
PATTERNS = ("hurco02*.shdr.gz", "hurco04*.shdr.gz")
_BOX = "NIST_MTC_CRADA_BOX_REV-A_OP1.NC"
_PLATE = "NIST_MTC_CRADA_PLATE"


@dataclass(frozen=True, slots=True)
class ToolRoomOrder:
    """The standing order of one mill: what its programs make is received under it, operation 10."""

    number: str
    equipment: str
    programs: tuple[str, ...]


TOOL_ROOM = (
    ToolRoomOrder("1001902", "HURCO02", (_BOX, "Partial.NC", "Test.NC", "RGH.NC", "Cas.NC")),
    ToolRoomOrder("1001904", "HURCO04", (f"{_PLATE}.NC", *(f"{_PLATE}-{n}.NC" for n in (2, 3, 4, 5, 6, 8, 9)))),
)
PIECES = {
    ("1001902", _BOX): 4,
    ("1001902", "Test.NC"): 2,
    ("1001902", "RGH.NC"): 1,
    ("1001902", "Cas.NC"): 1,
    ("1001904", f"{_PLATE}.NC"): 1,
    ("1001904", f"{_PLATE}-2.NC"): 1,
    ("1001904", f"{_PLATE}-3.NC"): 1,
    ("1001904", f"{_PLATE}-4.NC"): 2,
    ("1001904", f"{_PLATE}-5.NC"): 2,
    ("1001904", f"{_PLATE}-6.NC"): 1,
    ("1001904", f"{_PLATE}-8.NC"): 1,
    ("1001904", f"{_PLATE}-9.NC"): 1,
}
"""(order, program) -> pieces that the recordings, and the excerpts of them, count: no piece of theirs is unattributed."""


def recordings(directory: Path | None = None) -> list[Path]:
    """One file per mill: those in `directory`; without it the whole recordings, if they lie beside the project, else the
    excerpts that come with the demo. Raises FileNotFoundError if one is missing in a stated directory."""
    candidates = [directory] if directory is not None else [SHARED, EXCERPTS]
    for folder in candidates:
        found = [next(iter(sorted(folder.glob(pattern))), None) for pattern in PATTERNS]
        files = [path for path in found if path is not None]
        if len(files) == len(PATTERNS):
            return files
    raise FileNotFoundError(f"no recordings in {', '.join(map(str, candidates))}: {' and '.join(PATTERNS)} are needed")
