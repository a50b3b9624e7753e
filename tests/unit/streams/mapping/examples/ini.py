from tests.unit.streams.mapping.contract import PERSON, Example

EXAMPLE = Example(
    "ini",
    b"[shot]\ntime = 2026-11-20T22:00:00Z\nv = 11\nwho = anna.k\n[shot]\ntime = 2026-11-20T22:00:01Z\nv = 22\nwho = anna.k\n",
    [{"emit": "ProcessValue", "name": "=n", "value": "v", "also": [{"emit": "ProcessValue", "name": "=w", "value": "who"}]}],
    ["who"],
    ["11", PERSON, "22", PERSON],
)
