"""Configuration from files: three YAML documents in, one validated Configuration or every problem out."""

from app.configuration.loading import FILES, load, mappers, resolved
from app.configuration.problems import ConfigError, Problem

__all__ = ["FILES", "ConfigError", "Problem", "load", "mappers", "resolved"]
