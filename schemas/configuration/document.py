"""A whole configuration: three validated files under one hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel

from schemas.configuration.erp import ErpConfig
from schemas.configuration.plant import PlantConfig
from schemas.configuration.rules import RuleAt, RulesConfig
from schemas.records import ConfigDocument


class ConfigMismatch(ValueError):
    """A stored document does not have the content that its hash names (code CONFIG_MISMATCH)."""


def canonical_json(model: BaseModel, *, lines: bool = True) -> str:
    """The model as JSON with sorted keys and without blanks; every default is written out. `lines=False` leaves out the
    line numbers of rules: they move when somebody adds a comment."""
    tree = model.model_dump(mode="json", by_alias=True)
    return _canonical(tree if lines else _without_lines(tree))


def _canonical(tree: dict[str, Any]) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _without_lines(tree: dict[str, Any]) -> dict[str, Any]:
    for rule in tree.get("post", ()):
        del rule["line"]
    for source in tree.get("sources", {}).values():
        for rule in source["events"]:
            for emission in (rule, *rule["also"]):
                del emission["line"]
    return tree


def _sha256(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@dataclass(slots=True, frozen=True)
class Configuration:
    """What a plant has agreed on. Equal content has an equal hash: it does not depend on comments, the order of keys and the
    defaults that somebody wrote out. Line numbers are kept for people and are not part of the hash: they must not enter
    anything that is compared or hashed either."""

    plant: PlantConfig
    rules: RulesConfig
    erp: ErpConfig
    hash: str
    """SHA-256 over the canonical JSON of the three, hexadecimal."""
    rule_version: str
    """First 12 hexadecimal digits of the hash of the rules alone."""
    texts: tuple[str, str, str] = field(repr=False)
    """The three as canonical JSON with lines, as they are stored."""

    def rule_for(self, kind: str, order: str, operation: str, material: str, order_type: str = "") -> RuleAt | None:
        """The posting rule of an account; None: it is never posted. What is booked by nothing (`book.KIND.by: none`) is like a
        kind that no rule names."""
        booked = self.erp.book.get(kind)  # type: ignore[call-overload]
        if booked is not None and booked.by == "none":
            return None
        return self.rules.rule_for(kind, order, operation, material, order_type)

    @classmethod
    def of(cls, plant: PlantConfig, rules: RulesConfig, erp: ErpConfig) -> Self:
        hashed = [canonical_json(model, lines=False) for model in (plant, rules, erp)]
        texts = canonical_json(plant), canonical_json(rules), canonical_json(erp)
        return cls(plant, rules, erp, _sha256(*hashed), _sha256(hashed[1])[:12], texts)

    @classmethod
    def from_mappings(cls, plant: Mapping[str, Any], rules: Mapping[str, Any], erp: Mapping[str, Any]) -> Self:
        """From the plain content of the three files. Raises pydantic.ValidationError."""
        return cls.of(PlantConfig.model_validate(plant), RulesConfig.model_validate(rules), ErpConfig.model_validate(erp))

    @classmethod
    def from_document(cls, document: ConfigDocument) -> Self:
        """The configuration in a stored document, under the hash that it was stored with. Raises ConfigMismatch if its text has
        another one.

        The text is compared as it was written: a later version of the program has settings that it does not have (they hold
        by their defaults) and reads it all the same.
        """
        stored = (document.plant_yaml, document.rules_yaml, document.erp_yaml)
        found = _sha256(*(_canonical(_without_lines(json.loads(text))) for text in stored))
        if found != document.hash:
            raise ConfigMismatch(f"CONFIG_MISMATCH: the document named {document.hash} has the content of {found}")
        return cls(
            PlantConfig.model_validate_json(document.plant_yaml),
            RulesConfig.model_validate_json(document.rules_yaml),
            ErpConfig.model_validate_json(document.erp_yaml),
            document.hash,
            document.rule_version,
            stored,
        )

    def document(self) -> ConfigDocument:
        """As it is stored for ever in the topic `config`."""
        return ConfigDocument(
            hash=self.hash,
            plant=self.plant.plant.id,
            plant_yaml=self.texts[0],
            rules_yaml=self.texts[1],
            erp_yaml=self.texts[2],
            rule_version=self.rule_version,
        )
