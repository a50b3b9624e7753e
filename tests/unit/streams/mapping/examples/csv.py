from tests.unit.streams.mapping.contract import PERSON, Example

EXAMPLE = Example(
    "csv",
    b"time;v;who\n2026-11-20T22:00:00Z;11;anna.k\n2026-11-20T22:00:01Z;22;anna.k\n",
    [{"emit": "ProcessValue", "name": "=n", "value": "v", "also": [{"emit": "ProcessValue", "name": "=w", "value": "who"}]}],
    ["who"],
    ["11", PERSON, "22", PERSON],
    read={"delimiter": ";"},
)
