"""The configuration of a plant (plant.yaml, rules.yaml, erp.yaml) and of an installation, as validated, immutable models."""

from schemas.configuration.counters import Counter
from schemas.configuration.document import ConfigMismatch, Configuration, canonical_json
from schemas.configuration.erp import ErpConfig
from schemas.configuration.installation import InstallationConfig
from schemas.configuration.mapping import EventRule, Read, Source
from schemas.configuration.plant import Equipment, PlantConfig
from schemas.configuration.rules import PostRule, RuleAt, RulesConfig
from schemas.configuration.triggers import AtOnce, Cut, EveryQuantity, Interval, Trigger

__all__ = [
    "AtOnce",
    "ConfigMismatch",
    "Configuration",
    "Counter",
    "Cut",
    "Equipment",
    "ErpConfig",
    "EventRule",
    "EveryQuantity",
    "InstallationConfig",
    "Interval",
    "PlantConfig",
    "PostRule",
    "Read",
    "RuleAt",
    "RulesConfig",
    "Source",
    "Trigger",
    "canonical_json",
]
