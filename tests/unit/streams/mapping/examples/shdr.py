from tests.unit.streams.mapping.contract import PERSON, Example

EXAMPLE = Example(
    "shdr",
    b"2026-11-20T22:00:00Z|v|11|who|anna.k\n2026-11-20T22:00:01Z|v|22|who|anna.k\n",
    [{"emit": "ProcessValue", "name": "key", "value": "value"}],
    ["who"],
    ["11", PERSON, "22", PERSON],
)
