"""Writes records.py from avro/*.avsc: `python -m schemas.generate` (a test fails while the two differ).

One slotted dataclass per record with `from_avro` and `to_avro` spelled out, because a generic conversion costs more than
the Avro decoding itself. Timestamps stay integers (microseconds since 1970-01-01 UTC).
"""

from pathlib import Path
from typing import Any

from schemas.avro_files import NAMESPACE, documents

TARGET = Path(__file__).parent / "records.py"
PRIMITIVES = {"string": "str", "long": "int", "int": "int", "boolean": "bool", "bytes": "bytes"}
HEADER = '''"""Records and rows of lineledger as dataclasses. Generated from avro/*.avsc by `python -m schemas.generate`: do not edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

'''


def python_type(schema: Any) -> str:
    match schema:
        case str() if schema in PRIMITIVES:
            return PRIMITIVES[schema]
        case str():
            return schema.removeprefix(NAMESPACE)
        case ["null", other]:
            return f"{python_type(other)} | None"
        case {"type": "array", "items": items}:
            return f"list[{python_type(items)}]"
        case {"type": "map", "values": values}:
            return f"dict[str, {python_type(values)}]"
        case {"type": inner}:
            return python_type(inner)
    raise ValueError(f"unsupported schema: {schema!r}")


def convert(schema: Any, expr: str, method: str) -> str:
    """Python source that converts `expr` from Avro (method `from_avro`) or to Avro (`to_avro`)."""
    match schema:
        case str() if schema.startswith(NAMESPACE):
            name = schema.removeprefix(NAMESPACE)
            return f"{name}.from_avro({expr})" if method == "from_avro" else f"{expr}.to_avro()"
        case ["null", other]:
            inner = convert(other, expr, method)
            return expr if inner == expr else f"None if {expr} is None else {inner}"
        case {"type": "array", "items": items}:
            inner = convert(items, "v", method)
            return expr if inner == "v" else f"[{inner} for v in {expr}]"
        case {"type": "map", "values": values}:
            inner = convert(values, "v", method)
            return expr if inner == "v" else f"{{k: {inner} for k, v in {expr}.items()}}"
    return expr


def default(field: dict[str, Any]) -> str:
    if field["type"] == "bytes":
        return f" = {field['default'].encode('latin-1')!r}"
    match field["default"]:
        case []:
            return " = field(default_factory=list)"
        case {}:
            return " = field(default_factory=dict)"
        case "":
            return ' = ""'
        case str() as text:
            return f' = "{text}"'
        case value:
            return f" = {value!r}"


def dataclass_source(name: str, document: dict[str, Any]) -> str:
    fields = document["fields"]
    # Dataclasses want fields without default first; Avro keeps the order of the file.
    declared = [f for f in fields if "default" not in f] + [f for f in fields if "default" in f]
    doc = document["doc"].replace('"', "'")
    lines = ["@dataclass(slots=True)", f"class {name}:", f'    """{doc}"""', ""]
    lines += [f"    {f['name']}: {python_type(f['type'])}{default(f) if 'default' in f else ''}" for f in declared]
    lines += ["", "    @staticmethod", f"    def from_avro(d: Mapping[str, Any]) -> {name}:", f"        return {name}("]
    lines += [
        f"            {f['name']}={convert(f['type'], 'd[' + repr(f['name']).replace(chr(39), chr(34)) + ']', 'from_avro')},"
        for f in declared
    ]
    lines += ["        )", "", "    def to_avro(self) -> dict[str, Any]:", "        return {"]
    lines += [f'            "{f["name"]}": {convert(f["type"], "self." + f["name"], "to_avro")},' for f in fields]
    lines += ["        }", "", ""]
    return "\n".join(lines)


def source() -> str:
    names = list(documents())
    table = "".join(f'    "{name}": {name},\n' for name in sorted(names))
    classes = "\n".join(dataclass_source(name, document) for name, document in documents().items())
    return f"{HEADER}\n{classes}\nRECORDS: dict[str, Any] = {{\n{table}}}\n"


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
