"""Configuration from files: the three of a plant, or the one of an installation; validated, or every problem."""

from app.configuration.installation import INSTALLATION, InstallationFile, InstallationInvalid, load_installation
from app.configuration.loading import FILES, load, mappers, resolved
from app.configuration.problems import ConfigError, Problem

__all__ = [
    "FILES",
    "INSTALLATION",
    "ConfigError",
    "InstallationFile",
    "InstallationInvalid",
    "Problem",
    "load",
    "load_installation",
    "mappers",
    "resolved",
]
