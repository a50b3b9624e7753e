"""The command `lineledger`, and the way in for its child processes.

The program's packages are called app, streams, tables and schemas; others have such names, too. Here each of them is taken from
beside this file, whatever stands in the folder of the start, in PYTHONPATH or among installed packages; what cannot be told apart
is named (PACKAGE_CLASH).
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent
PACKAGES = {"app": "cli/main.py", "streams": "intake/stage.py", "tables": "quantity.py", "schemas": "codec.py"}
"""Package -> a file that ours has. The packages themselves are empty (`__init__.py`): another one's would not be."""
USAGE = 2


class _Own(MetaPathFinder):
    """Finds the four packages, and this file, before anybody else is asked."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [str(ROOT)]) if fullname in {*PACKAGES, "lineledger"} else None


def clashes() -> list[str]:
    """Packages that are another program's: imported before this one, or written over it in the same folder."""
    found = []
    for name, ours in PACKAGES.items():
        loaded = sys.modules.get(name)
        place = Path(getattr(loaded, "__file__", None) or ROOT / name / "__init__.py").resolve()
        if place.parent != ROOT / name:
            found.append(f"{name} was imported from {place.parent} before lineledger's")
        elif not (ROOT / name / ours).is_file() or place.stat().st_size:
            found.append(f"{ROOT / name} is (or was overwritten by) the package of another program")
    return found


def prepare() -> None:
    """Find this installation's packages from here on. Ends the process where another program's stand in their place."""
    found = clashes()
    if found:
        print(f"PACKAGE_CLASH: {'; '.join(found)}; install lineledger into an environment of its own", file=sys.stderr)
        sys.exit(USAGE)
    sys.meta_path.insert(0, _Own())


def command(module: str, *arguments: str) -> list[str]:
    """A Python process of this installation that runs `module`, wherever it is started (-P: nothing of that folder counts)."""
    return [sys.executable, "-P", str(ROOT / "lineledger.py"), module, *arguments]


def main() -> None:
    prepare()
    from app.cli.main import main as run

    run()


if __name__ == "__main__":
    del sys.argv[0]
    prepare()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
