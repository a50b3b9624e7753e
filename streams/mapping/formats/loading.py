"""From the register's name of a format to its object: the FORMAT of streams/mapping/formats/NAME.py."""

from importlib import import_module

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import Format


def format_of(read: Read) -> Format:
    """The format that a source's records have."""
    return format_named(read.format)


def format_named(name: str) -> Format:
    """The format of a name in schemas/configuration/formats.py. The register and the modules
    belong to one version: a module or its FORMAT that is missing is a defect, and raised as such."""
    found: Format = import_module(f"{__package__}.{name}").FORMAT
    return found
