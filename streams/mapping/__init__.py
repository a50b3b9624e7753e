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
from streams.mapping.mapper import Mapper
from streams.mapping.operators import Operators
from streams.mapping.rule_mapper import compile_source

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
