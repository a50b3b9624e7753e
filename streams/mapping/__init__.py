"""Declarative mappings of raw records to canonical events, compiled once into plain accessors."""

from streams.mapping.items import (
    UNAVAILABLE,
    Mapped,
    MappingError,
    MappingProblem,
    RawRecord,
    Reading,
    RefusedRecord,
)
from streams.mapping.mapper import Mapper, compile_source
from streams.mapping.operators import Operators

__all__ = [
    "UNAVAILABLE",
    "Mapped",
    "Mapper",
    "MappingError",
    "MappingProblem",
    "Operators",
    "RawRecord",
    "Reading",
    "RefusedRecord",
    "compile_source",
]
