"""Containers without a daemon: an image unpacked by umoci and run by runc, as a cluster would: read-only root, no capability."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.platform.maven import Missing

USER = 10001
SHELLS = ("sh", "dash", "bash")
EMPTY: Mapping[Any, str] = MappingProxyType({})
STATE, TMP = "/var/lib/lineledger", "/tmp"


def require(*tools: str) -> None:
    """Raises Missing with all that this machine lacks."""
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    if lacking:
        raise Missing(f"no {', '.join(lacking)} on the PATH (Debian has a package of that name)")
    if os.geteuid() != 0:
        raise Missing("runc sets up containers as root only, here")


class Unpacked:
    """An image's files and configuration, without the shells of its base: nothing in it may need one."""

    def __init__(self, archive: Path, folder: Path) -> None:
        """Raises Missing, CalledProcessError."""
        require("umoci", "runc")
        with tarfile.open(archive) as layout:
            layout.extractall(folder / "layout", filter="data")
        index = json.loads((folder / "layout" / "index.json").read_text(encoding="utf-8"))
        name = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        subprocess.run(
            ["umoci", "unpack", "--image", f"{folder / 'layout'}:{name}", folder / "bundle"],
            check=True,
            capture_output=True,
            timeout=300,
        )
        shutil.rmtree(folder / "layout")
        self._folder = folder
        self._root = folder / "bundle" / "rootfs"
        self._config = json.loads((folder / "bundle" / "config.json").read_text(encoding="utf-8"))
        for shell in SHELLS:
            for place in ("bin", "usr/bin"):
                (self._root / place / shell).unlink(missing_ok=True)

    def run(self, name: str, arguments: Sequence[str], **given: Any) -> subprocess.CompletedProcess[str]:
        """Until it ends by itself. `given`: see `started`."""
        with self.started(name, arguments, **given) as process:
            process.wait(timeout=180)
        return subprocess.CompletedProcess(arguments, process.returncode, self.said(name), self.said(name, "err"))

    def said(self, name: str, where: str = "out") -> str:
        """What the container wrote to its standard output (`out`) or error (`err`)."""
        return (self._folder / name / where).read_text(errors="replace")

    @contextmanager
    def started(
        self,
        name: str,
        arguments: Sequence[str],
        environ: Mapping[str, str] = EMPTY,
        folders: Mapping[Path, str] = EMPTY,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A container of the image's entry point with `arguments`, in the network of this machine. `folders`: from here -> path
        in it, read-only. Signals to the process reach the program. Killed at the end."""
        bundle = self._folder / name
        state = bundle / "state"
        state.mkdir(parents=True)
        os.chown(state, USER, USER)
        (bundle / "config.json").write_text(json.dumps(self._specification(arguments, environ, state, folders)))
        runtime = ["runc", "--root", str(self._folder / "runc")]
        with (bundle / "out").open("wb") as out, (bundle / "err").open("wb") as err:
            command = [*runtime, "run", "--bundle", bundle, name]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            yield process
        finally:
            if process.poll() is None:
                subprocess.run([*runtime, "kill", name, "KILL"], check=False, capture_output=True, timeout=30)
                process.wait(timeout=30)

    def _specification(
        self, arguments: Sequence[str], environ: Mapping[str, str], state: Path, folders: Mapping[Path, str]
    ) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(json.dumps(self._config))
        entry = [word for word in found["process"]["args"] if word.endswith("/lineledger")]
        found["process"] |= {
            "terminal": False,
            "noNewPrivileges": True,
            "args": [*entry, *arguments],
            "capabilities": {},
            "env": [*found["process"]["env"], *(f"{name}={value}" for name, value in environ.items())],
        }
        found["root"] = {"path": str(self._root), "readonly": True}
        found["mounts"] = [mount for mount in found["mounts"] if mount["type"] != "cgroup"]
        found["mounts"] += [_bind(state, STATE, "rw"), *(_bind(here, there, "ro") for here, there in folders.items())]
        found["mounts"].append(
            {"destination": TMP, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=64m"]}
        )
        found["linux"]["namespaces"] = [
            each for each in found["linux"]["namespaces"] if each["type"] not in ("network", "cgroup")
        ]
        return found


def _bind(here: Path, there: str, mode: str) -> dict[str, Any]:
    return {"destination": there, "type": "bind", "source": str(here), "options": ["rbind", mode, "nosuid", "nodev"]}
