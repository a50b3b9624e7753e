"""Loading: files -> text -> models -> cross-checks. All problems of all files are found in one go
(left_over.py)."""

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from app.configuration.checks import cross_checks
from app.configuration.installation import INSTALLATION
from app.configuration.left_over import CheckedFile, checked
from app.configuration.problems import ConfigError, Problem
from app.configuration.yaml_text import YamlProblem, YamlText, read_leniently
from schemas.configuration import Configuration, ErpConfig, PlantConfig, RulesConfig
from streams.mapping import Mapper, compile_source

PLANT, RULES, ERP = FILES = ("plant.yaml", "rules.yaml", "erp.yaml")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Model = TypeVar("Model", bound=BaseModel)


def load(directory: Path) -> Configuration:
    """The configuration in `directory`: plant.yaml, and rules.yaml and erp.yaml where the defaults do not do.

    Raises ConfigError with every problem that was found. Nothing is taken from the environment: see `resolved`.
    """
    if directory.is_file():
        raise ConfigError([Problem(directory.name, 0, f"{directory} is a file; name the folder that it is in")])
    if not directory.exists():
        raise ConfigError([Problem(PLANT, 0, f"there is no folder {directory}")])
    problems: list[Problem] = []
    problems += _not_read(directory)
    documents = {name: _read(directory / name, problems, required=name == PLANT) for name in FILES}
    unread = None in documents.values()
    plant = _checked(PlantConfig, PLANT, documents[PLANT])
    rules = _checked(RulesConfig, RULES, documents[RULES])
    erp = _checked(ErpConfig, ERP, documents[ERP])
    files: dict[str, CheckedFile[Any]] = {PLANT: plant, RULES: rules, ERP: erp}
    for finding in cross_checks(plant.model, rules.model, erp.model):
        file = files[finding.file]
        if finding.needs and any(files[name].lacks(*sections) for name, sections in finding.needs.items()):
            file.withheld = True
        else:
            file.tell(finding.path, finding.message, follows=True)
    problems += [problem for file in files.values() for problem in file.problems]
    if problems or plant.model is None or rules.model is None or erp.model is None:
        partial = unread or any(file.withheld or file.model is None for file in files.values())
        raise ConfigError(problems, partial=partial)
    return Configuration.of(plant.model, rules.model, erp.model)


def mappers(configuration: Configuration, private_key: bytes = b"") -> dict[str, Mapper]:
    """A fresh Mapper per source of a checked configuration."""
    plant = configuration.plant
    return {name: compile_source(name, source, plant, private_key) for name, source in plant.sources.items()}


def resolved(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`text` with each `${NAME}` replaced from the environment. Raises ConfigError naming what is not set."""
    missing = sorted({name for name in _REFERENCE.findall(text) if name not in environment})
    if missing:
        raise ConfigError([Problem(ERP, 0, f"the environment has no {name}; set it before the start") for name in missing])
    return _REFERENCE.sub(lambda match: environment[match[1]], text)


def _read(path: Path, problems: list[Problem], *, required: bool) -> YamlText | None:
    try:
        return _with_lines(path.name, read_leniently(path.read_bytes()))
    except FileNotFoundError:
        if required:
            problems.append(Problem(path.name, 0, f"there is no {path.name} in {path.parent}; write it, or name another folder"))
            return None
        return YamlText({})
    except OSError as wrong:
        problems.append(Problem(path.name, 0, f"{path.name} cannot be read: {wrong.strerror}"))
    except YamlProblem as wrong:
        problems.append(Problem(path.name, wrong.line, wrong.message))
    return None


def _not_read(directory: Path) -> Iterator[Problem]:
    """Files that are named almost like one that is not there: what they say would have no effect."""
    for name in others_in(directory):
        absent = [file for file in FILES if not (directory / file).exists()]
        written_on = [file for file in absent if name.startswith(f"{file}.")]
        for meant in written_on or get_close_matches(name.lower(), absent, n=1, cutoff=0.8):
            yield Problem(name, 0, f"this file is not read; did you mean {meant}?")


def others_in(directory: Path) -> list[str]:
    """YAML files, and copies of a file of the configuration, that lie in its folder and are not read."""
    try:
        there = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        return []  # reading its files says why
    names = [path.name for path in there if path.suffix.lower() in (".yaml", ".yml") or path.name.startswith(FILES)]
    return [name for name in names if name not in (*FILES, INSTALLATION)]


def _with_lines(name: str, document: YamlText) -> YamlText:
    """Give rules their line, which explanations show. A `line` that somebody wrote is left for the model to refuse."""
    content = document.content
    if name == RULES and isinstance(content.get("post"), list):
        _number(content["post"], ("post",), document)
    if name == PLANT and isinstance(content.get("sources"), dict):
        for source, entry in content["sources"].items():
            if isinstance(entry, dict) and isinstance(entry.get("events"), list):
                _number(entry["events"], ("sources", source, "events"), document)
    return document


def _number(rules: list[Any], path: tuple[str | int, ...], document: YamlText) -> None:
    for index, rule in enumerate(rules):
        if isinstance(rule, dict):
            if "line" in rule:
                problem = YamlProblem(document.lines[(*path, index, "line")], "`line` is no key here; remove it")
                document.problems.append(problem)
            rule["line"] = document.lines[(*path, index)]
            if isinstance(rule.get("also"), list):
                _number(rule["also"], (*path, index, "also"), document)


def _checked(model: type[Model], name: str, document: YamlText | None) -> CheckedFile[Model]:
    return CheckedFile(name, YamlText({})) if document is None else checked(model, name, document)
