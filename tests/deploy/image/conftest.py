"""The image, built once for the session by deploy/image/build.sh, as `make image` does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.platform.maven import CACHE, ROOT, Missing
from tests.platform.runc import Unpacked, require

IMAGE_VARIABLE = "LINELEDGER_TEST_IMAGE"
BUILD_TIMEOUT_S = 1800
TOOLS = ("buildah", "git", "mmdebstrap", "runc", "umoci")


def build(out: Path, store: Path) -> Path:
    """`out` with what build.sh made. Raises Missing, CalledProcessError."""
    require(*(tool for tool in TOOLS if tool != "mmdebstrap" or not os.environ.get("BASE")))
    if not (CACHE / "deploy-tools" / "bin" / "python").is_file():
        raise Missing("no .cache/deploy-tools; `make image-test` makes it")
    environ = {**os.environ, "OUT": str(out), "STORE": str(store), "BASES": str(CACHE / "debian-base")}
    done = subprocess.run(
        [ROOT / "deploy" / "image" / "build.sh"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with image.tar, digest, sbom.json, provenance.json: the one that LINELEDGER_TEST_IMAGE names, else a new one."""
    if given := os.environ.get(IMAGE_VARIABLE):
        return Path(given)
    folder = tmp_path_factory.mktemp("image")
    try:
        return build(folder / "out", folder / "store")
    except Missing as missing:
        pytest.skip(f"needs what builds and runs an image: {missing}")


@pytest.fixture(scope="session")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    try:
        return Unpacked(built / "image.tar", tmp_path_factory.mktemp("unpacked"))
    except Missing as missing:
        pytest.skip(f"needs what runs an image: {missing}")
