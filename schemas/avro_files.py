"""The .avsc files: loading, and the order in which named types depend on each other."""

import json
from functools import cache
from pathlib import Path
from typing import Any

AVRO_DIR = Path(__file__).parent / "avro"
NAMESPACE = "lineledger."


@cache
def documents() -> dict[str, dict[str, Any]]:
    """Every schema file, by record name, dependencies first."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(AVRO_DIR.glob("*.avsc"))}
    ordered: dict[str, dict[str, Any]] = {}

    def visit(name: str) -> None:
        if name not in ordered:
            for needed in sorted(references(found[name])):
                visit(needed)
            ordered[name] = found[name]

    for name in found:
        visit(name)
    return ordered


def references(node: Any) -> set[str]:
    """Names of the project's record types that a schema uses without defining them."""
    if isinstance(node, str):
        return {node.removeprefix(NAMESPACE)} if node.startswith(NAMESPACE) else set()
    if isinstance(node, list):
        return set().union(*(references(part) for part in node)) if node else set()
    if isinstance(node, dict):
        if node.get("type") == "record":
            return references([field["type"] for field in node["fields"]])
        return references([node.get("type"), node.get("items"), node.get("values")])
    return set()


def self_contained(name: str) -> dict[str, Any]:
    """The schema of `name` with every referenced record written out at its first use, as a registry wants it."""
    seen: set[str] = set()

    def expand(node: Any) -> Any:
        if isinstance(node, str) and node.startswith(NAMESPACE):
            short = node.removeprefix(NAMESPACE)
            if short in seen:
                return node
            seen.add(short)
            return expand_record(documents()[short])
        if isinstance(node, list):
            return [expand(part) for part in node]
        if isinstance(node, dict):
            return {key: expand(value) if key in {"type", "items", "values"} else value for key, value in node.items()}
        return node

    def expand_record(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "fields": [{**field, "type": expand(field["type"])} for field in document["fields"]]}

    seen.add(name)
    return expand_record(documents()[name])
