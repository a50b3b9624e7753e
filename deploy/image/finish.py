"""The end of an image's build stage, the same bytes each time: what only installs is taken out, what runs is compiled."""

import compileall
import py_compile
import shutil
import sys
import sysconfig
from pathlib import Path

ONLY_INSTALLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
"""Nothing in the image installs anything."""
STATE = Path("/state")
"""Becomes the state directory of the image."""


def finish(home: Path) -> None:
    """`home`: a virtual environment. Compiled files name no times: they hold for their source, unchecked."""
    packages = Path(sysconfig.get_path("purelib"))
    for name in ONLY_INSTALLS:
        for found in [packages / name, *packages.glob(f"{name}-*.dist-info")]:
            shutil.rmtree(found, ignore_errors=True)
    (packages / "distutils-precedence.pth").unlink(missing_ok=True)
    for command in (home / "bin").iterdir():
        if not command.name.startswith("python") and command.name != "lineledger":
            command.unlink()
    for tests in [folder for folder in packages.rglob("tests") if folder.is_dir()]:
        shutil.rmtree(tests)  # of numpy and others
    STATE.mkdir()
    compiled = compileall.compile_dir(
        packages, quiet=2, workers=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, force=True
    )
    if not compiled:
        print("some files of other packages do not compile with this Python; they are never imported", file=sys.stderr)


if __name__ == "__main__":
    finish(Path(sys.argv[1]))
