"""What is in an image: the files of an OCI archive, layer over layer, read without unpacking it."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(slots=True)
class Image:
    """`files`: path -> (layer, member) of what is there in the end. `layers`: digests, the base's first."""

    manifest: dict[str, Any]
    config: dict[str, Any]
    layers: list[str]
    files: dict[str, tuple[str, tarfile.TarInfo]] = field(default_factory=dict)


def read(archive: Path) -> Image:
    """Raises ValueError where a blob is not what its name says."""
    with tarfile.open(archive) as outer:
        index = json.loads(_blob(outer, "index.json"))
        manifest = json.loads(_blob_of(outer, index["manifests"][0]["digest"]))
        config = json.loads(_blob_of(outer, manifest["config"]["digest"]))
        image = Image(manifest, config, [layer["digest"] for layer in manifest["layers"]])
        for digest in image.layers:
            for member in _members(outer, digest):
                _put(image.files, digest, member)
    return image


def texts(archive: Path, wanted: dict[str, tuple[str, tarfile.TarInfo]]) -> Iterator[tuple[str, bytes]]:
    """The content of regular files among `wanted`, by path."""
    by_layer: dict[str, dict[str, str]] = {}
    for path, (digest, member) in wanted.items():
        if member.isreg():
            by_layer.setdefault(digest, {})[member.name] = path
    with tarfile.open(archive) as outer:
        for digest, names in by_layer.items():
            with tarfile.open(fileobj=outer.extractfile(_name_of(digest)), mode="r|*") as layer:
                for member in layer:
                    content = layer.extractfile(member) if member.name in names else None
                    if content is not None:
                        yield names[member.name], content.read()


def _put(files: dict[str, tuple[str, tarfile.TarInfo]], digest: str, member: tarfile.TarInfo) -> None:
    path = member.name.removeprefix("./").strip("/")
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        gone = [each for each, (layer, _) in files.items() if each.startswith(f"{folder}/") and layer != digest]
    elif name.startswith(WHITEOUT):
        removed = f"{folder}/{name.removeprefix(WHITEOUT)}".strip("/")
        gone = [each for each in files if each == removed or each.startswith(f"{removed}/")]
    else:
        files[path] = (digest, member)
        return
    for each in gone:
        del files[each]


def _members(outer: tarfile.TarFile, digest: str) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=outer.extractfile(_name_of(digest)), mode="r|*") as layer:
        yield from layer


def _blob_of(outer: tarfile.TarFile, digest: str) -> bytes:
    content = _blob(outer, _name_of(digest))
    if hashlib.sha256(content).hexdigest() != digest.removeprefix("sha256:"):
        raise ValueError(f"the blob {digest} has another content")
    return content


def _blob(outer: tarfile.TarFile, name: str) -> bytes:
    found = outer.extractfile(name)
    if found is None:
        raise ValueError(f"{name} is no file")
    return found.read()


def _name_of(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
