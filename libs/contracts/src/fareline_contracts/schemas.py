"""JSON Schemas of everything that crosses a boundary, made from the models."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from fareline_contracts.fields import JsonObject
from fareline_contracts.lookup import LookupAnswer, LookupRequest
from fareline_contracts.pbx_generic import REQUEST, Answer
from fareline_contracts.topics import REGISTRY

OPEN_MARK = "x-open-enum"


def schema_documents() -> Iterator[tuple[str, JsonObject]]:
    """Yield (file name, JSON Schema) for each record of the registry and each message of an HTTP contract."""
    for topic in REGISTRY:
        for record_type, model in topic.records.items():
            yield f"{record_type}.json", _marked(model.model_json_schema(mode="validation"))
    yield "pbx.generic.request.v1.json", _marked(REQUEST.json_schema(mode="validation"))
    for name, model in (
        ("pbx.generic.answer.v1", Answer),
        ("binder.lookup.request.v1", LookupRequest),
        ("binder.lookup.answer.v1", LookupAnswer),
    ):
        yield f"{name}.json", _marked(TypeAdapter(model).json_schema(mode="validation"))


def rendered_schemas() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    return {name: json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in schema_documents()}


def write_schemas(folder: Path) -> None:
    """Make `folder` hold exactly the current schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = rendered_schemas()
    for path in folder.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)


def outdated_schemas(folder: Path) -> list[str]:
    """Return the names of schema files in `folder` that are absent, left over or differ from the models."""
    texts = rendered_schemas()
    present = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in texts.keys() | present.keys() if texts.get(name) != present.get(name))


def _marked(schema: JsonObject) -> JsonObject:
    """Mark the enums that may grow, so that the compatibility check can tell them from closed ones."""
    for definition in schema.get("$defs", {}).values():
        if "other" in definition.get("enum", ()):
            definition[OPEN_MARK] = True
    return schema
