from tests.unit.streams.mapping.contract import PERSON, Example

EXAMPLE = Example(
    "json",
    b'{"time": "2026-11-20T22:00:00Z", "v": 11, "who": "anna.k"}\n{"time": "2026-11-20T22:00:01Z", "v": 22, "who": "anna.k"}\n',
    [{"emit": "ProcessValue", "name": "=n", "value": "v", "also": [{"emit": "ProcessValue", "name": "=w", "value": "who"}]}],
    ["who"],
    ["11", PERSON, "22", PERSON],
)
