"""What is in the image and what is not, and what its statements say of it."""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.image.conftest import IMAGE_VARIABLE, build
from tests.platform.maven import CACHE, ROOT

HOME = "opt/lineledger/"
PACKAGES = re.compile(r"opt/lineledger/lib/python3\.\d+/site-packages/")
OF_THE_PROGRAM = re.compile(PACKAGES.pattern + "(app|streams|tables|schemas|lineledger)")
NEVER = re.compile(r"(^|/)(\.git|\.cache|\.netrc|\.pypirc|pip\.conf|pip|setuptools|tests|\.hypothesis)(/|$)")
_SECRETS = (rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{60}", rb"AKIA[0-9A-Z]{16}", rb"gh[pousr]_[A-Za-z0-9]{36}")
SECRETS = re.compile(b"|".join([*_SECRETS, rb"eyJhbGciOi[\w-]{20,}\.eyJ"]))
OF_ITS_TESTS = re.compile(r"confluent_kafka\.libs/librdkafka-")
"""librdkafka has its own unit tests in it, with a key and tokens that anybody can read in its source."""
MACHINE = re.compile(b"|".join(re.escape(bytes(path)) for path in (ROOT, Path.home(), Path(tempfile.gettempdir()) / "pytest")))
"""Places of the machine that built it."""
CHECK = """
import sys
import tempfile
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(wrong) if wrong else 0)
"""


@pytest.fixture(scope="session")
def contents() -> ModuleType:
    specification = importlib.util.spec_from_file_location("contents", ROOT / "deploy" / "image" / "contents.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["contents"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def image(built: Path, contents: ModuleType) -> Any:
    return contents.read(built / "image.tar")


@pytest.fixture(scope="session")
def revision(image: Any) -> str:
    """What the image was built of: HEAD, or what a given image says."""
    stated: str = image.config["config"]["Labels"]["org.opencontainers.image.revision"]
    return stated if os.environ.get(IMAGE_VARIABLE) else git("rev-parse", "HEAD")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def own(image: Any) -> Iterator[str]:
    """Paths that the project's layer put there: all that is above the base."""
    return (path for path in image.files if path.startswith(HOME))


def test_it_runs_as_a_user_of_its_own_and_names_its_revision(image: Any, revision: str) -> None:
    config = image.config["config"]
    assert (config["User"], config["Entrypoint"]) == ("10001:10001", ["/opt/lineledger/bin/lineledger"])
    assert config["Labels"]["org.opencontainers.image.revision"] == revision
    assert not [name for name in config["Env"] if re.search(r"SECRET|TOKEN|PASSWORD|PIP_", name)]


def test_every_file_belongs_to_a_package(image: Any, built: Path, contents: ModuleType) -> None:
    """What is above the base is what the packages' own lists name, compiled, and an interpreter."""
    records = {path: entry for path, entry in image.files.items() if PACKAGES.match(path) and path.endswith(".dist-info/RECORD")}
    assert len(records) > 30
    listed = set()
    for path, text in contents.texts(built / "image.tar", records):
        packages = path.rpartition("/")[0].rpartition("/")[0]
        listed |= {os.path.normpath(f"{packages}/{row[0]}") for row in csv.reader(text.decode().splitlines())}
    strays = []
    for path in own(image):
        source = re.sub(r"__pycache__/([\w-]+)\.cpython-\d+\.pyc$", r"\1.py", path)
        if not image.files[path][1].isdir() and source not in listed and not path.startswith(f"{HOME}bin/python"):
            strays.append(path)
    assert [path for path in strays if not path.endswith(("pyvenv.cfg", "/lib64"))] == []
    assert {path for path in own(image) if path.startswith(f"{HOME}bin/")} == {
        f"{HOME}bin/{name}" for name in ("lineledger", "python", "python3", "python3.11")
    }


def test_nothing_of_the_build_is_left(image: Any) -> None:
    assert [path for path in own(image) if NEVER.search(path.partition(".dist-info/")[0])] == []
    above = {digest for digest, _ in (image.files[path] for path in own(image))}
    others = {path for path, (digest, member) in image.files.items() if digest in above and not member.isdir()}
    assert {path for path in others if not path.startswith(HOME)} == set()


def test_no_file_gives_rights_and_none_is_open_to_all(image: Any) -> None:
    regular = [(path, member) for path, (_, member) in image.files.items() if member.isreg()]
    assert [path for path, member in regular if member.mode & 0o6000 and path.startswith(HOME)] == []
    assert [path for path, member in regular if member.mode & 0o002] == []
    if not os.environ.get("BASE"):
        assert [path for path, member in regular if member.mode & 0o6000] == []


def test_no_secret_and_no_path_of_the_builder_is_in_it(image: Any, built: Path, contents: ModuleType) -> None:
    wanted = {path: image.files[path] for path in own(image)}
    wanted |= {path: entry for path, entry in image.files.items() if path.startswith(("etc/", "root/"))}
    found, places = [], []
    for path, content in contents.texts(built / "image.tar", wanted):
        found += [path] if SECRETS.search(content) and not OF_ITS_TESTS.search(path) else []
        places += [path] if OF_THE_PROGRAM.match(path) and MACHINE.search(content) else []
    assert (found, places) == ([], [])
    assert not SECRETS.search(json.dumps(image.config).encode())


def test_times_are_those_of_the_revision(image: Any, revision: str) -> None:
    stamp = git("log", "-1", "--format=%ct", revision)
    assert {image.files[path][1].mtime for path in own(image)} == {int(stamp)}


def test_the_bill_of_materials_names_every_package(built: Path) -> None:
    bill = json.loads((built / "sbom.json").read_text(encoding="utf-8"))
    names = {each["name"]: each["version"] for each in bill["components"] if each["purl"].startswith("pkg:pypi")}
    locked = set(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M))
    assert {"faust-streaming", "confluent-kafka", "rocksdict", "lineledger"} <= names.keys()
    assert {name: version for name, version in names.items() if name != "lineledger"}.items() <= locked
    assert bill["metadata"]["component"]["bom-ref"] == (built / "digest").read_text(encoding="utf-8")
    assert [each for each in bill["components"] if each["purl"].startswith("pkg:deb")] or os.environ.get("BASE")
    python = CACHE / "deploy-tools" / "bin" / "python"
    done = subprocess.run([python, "-c", CHECK, built / "sbom.json"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_provenance_is_of_this_image(built: Path, revision: str) -> None:
    statement = json.loads((built / "provenance.json").read_text(encoding="utf-8"))
    digest = (built / "digest").read_text(encoding="utf-8").removeprefix("sha256:")
    assert statement["subject"] == [{"name": "lineledger", "digest": {"sha256": digest}}]
    built_of = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert built_of[0]["digest"] == {"gitCommit": revision}
    assert len(built_of[1]["digest"]["sha256"]) == len(built_of[2]["digest"]["sha256"]) == 64


@pytest.mark.skipif(os.environ.get("LINELEDGER_TEST_SHORT") == "1", reason="a second build takes minutes")
def test_the_same_revision_is_the_same_image(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "out", tmp_path / "store")
    for name in ("digest", "sbom.json", "provenance.json"):
        assert (again / name).read_bytes() == (built / name).read_bytes(), name
