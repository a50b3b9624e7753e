from tests.unit.streams.mapping.contract import PERSON, Example

EXAMPLE = Example(
    "xml",
    b"""<?xml version="1.0" encoding="utf-8"?>
<log>
<row><time>2026-11-20T22:00:00Z</time><v>11</v><who>anna.k</who></row>
<row><time>2026-11-20T22:00:01Z</time><v>22</v><who>anna.k</who></row>
</log>
""",
    [{"emit": "ProcessValue", "name": "=n", "value": "v", "also": [{"emit": "ProcessValue", "name": "=w", "value": "who"}]}],
    ["who"],
    ["11", PERSON, "22", PERSON],
    read={"each": "row"},
    whole=True,
)
