"""How much of an input may be refused: a share of its records, asked for as soon as there are a few."""

from fractions import Fraction

AT_LEAST = 10
"""Of an input with fewer records no share is asked for."""


def beyond(refused: int, records: int, at_most: Fraction) -> bool:
    """Is more than that share refused?"""
    return records >= AT_LEAST and refused > at_most * records
