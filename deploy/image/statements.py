"""What an image says of itself: an SBOM (CycloneDX 1.6) of what is in it, and how it came about (SLSA provenance, unsigned).

The releaser signs both. Run by build.sh, with the packages of deploy/tools/requirements.lock.
"""

import argparse
import datetime as dt
import hashlib
import json
import re
import uuid
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import contents
from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

OWN = "lineledger"
METADATA = re.compile(r"opt/lineledger/lib/python3\.\d+/site-packages/[^/]+\.dist-info/METADATA")
DPKG = "var/lib/dpkg/status"
BUILD_TYPE = "urn:lineledger:image:build.sh:1"


class NotLocked(RuntimeError):
    """The image has a package that requirements.lock does not."""


def bill(archive: Path, lock: str, digest: str, version: str, created: dt.datetime) -> Bom:
    """Of the image in `archive`: Python packages, each as it is in `lock`, and Debian's. Raises NotLocked."""
    image = contents.read(archive)
    bom = Bom()
    # Reproducible: nothing in it but what it is of.
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, digest)
    bom.metadata.timestamp = created
    whole = bom.metadata.component = Component(
        name=OWN,
        version=version,
        type=ComponentType.CONTAINER,
        bom_ref=digest,
        hashes=[HashTypeFactory().from_composite_str(digest)],
    )
    wanted = {path: entry for path, entry in image.files.items() if METADATA.fullmatch(path) or path == DPKG}
    for path, content in sorted(contents.texts(archive, wanted)):
        found = _debian(content) if path == DPKG else [_python(content)]
        bom.components.update(found)
        bom.register_dependency(whole, found)
    strangers = [each for each in bom.components if each.purl.type == "pypi" and each.name != OWN and not _locked(each, lock)]
    if strangers:
        raise NotLocked(", ".join(sorted(f"{each.name} {each.version}" for each in strangers)))
    return bom


def provenance(arguments: argparse.Namespace) -> dict[str, Any]:
    """An in-toto statement: what was built out of what, by which steps."""
    lock = (arguments.source / "requirements.lock").read_bytes()
    base: dict[str, Any] = {"uri": arguments.base}
    if arguments.base_digest.startswith("sha256:"):
        base["digest"] = {"sha256": arguments.base_digest.removeprefix("sha256:")}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": OWN, "digest": {"sha256": arguments.digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"base": arguments.base, "revision": arguments.revision, "version": arguments.version},
                "resolvedDependencies": [
                    {"uri": "git+lineledger", "digest": {"gitCommit": arguments.revision}},
                    base,
                    {"uri": "requirements.lock", "digest": {"sha256": hashlib.sha256(lock).hexdigest()}},
                ],
            },
            "runDetails": {"builder": {"id": arguments.builder}, "metadata": {"invocationId": arguments.digest}},
        },
    }


def _python(metadata: bytes) -> Component:
    fields = BytesParser().parsebytes(metadata, headersonly=True)
    name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
    stated = fields["License-Expression"] or (fields["License"] or "").splitlines()[:1]
    stated = stated if isinstance(stated, str) else "".join(stated)
    return Component(
        name=name,
        version=fields["Version"],
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", None, name, fields["Version"]),
        bom_ref=f"pypi:{name}",
        licenses=[LicenseFactory().make_from_string(stated)] if stated else [],
    )


def _debian(status: bytes) -> list[Component]:
    found = []
    for paragraph in status.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            name, version, machine = fields["Package"], fields["Version"], fields["Architecture"]
            purl = PackageURL("deb", "debian", name, version, {"arch": machine})
            found.append(
                Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=f"deb:{name}:{machine}")
            )
    return found


def _locked(component: Component, lock: str) -> bool:
    return re.search(rf"^{re.escape(component.name)}==({re.escape(component.version)})( |$)", lock, re.M | re.I) is not None


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("source", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("digest", "revision", "base", "version", "created"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--base-digest", default="")
    parser.add_argument("--builder", default="urn:lineledger:builder:local")
    arguments = parser.parse_args()
    lock = (arguments.source / "requirements.lock").read_text(encoding="utf-8")
    created = dt.datetime.fromisoformat(arguments.created)
    bom = bill(arguments.out / "image.tar", lock, arguments.digest, arguments.version, created)
    (arguments.out / "sbom.json").write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    statement = json.dumps(provenance(arguments), indent=2) + "\n"
    (arguments.out / "provenance.json").write_text(statement, encoding="utf-8")


if __name__ == "__main__":
    main()
