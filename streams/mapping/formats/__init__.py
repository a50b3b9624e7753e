"""Source formats: one module each, whose FORMAT says all that the rest of the program asks of it."""

from streams.mapping.formats.contract import Fields, Format, Uncut, each_of
from streams.mapping.formats.loading import format_named, format_of

__all__ = ["Fields", "Format", "Uncut", "each_of", "format_named", "format_of"]
