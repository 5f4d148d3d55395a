"""Whether a changed schema still reads what is already in a topic, and old readers still read new records.

Compatible: an optional field with a default is added, a limit widens, an open enum grows. All else needs a new version.
"""

from collections.abc import Iterator

from fareline_contracts.fields import JsonObject
from fareline_contracts.schemas import OPEN_MARK

UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
FIXED = ("type", "const", "pattern", "format", "discriminator")


def breaking_changes(old: JsonObject, new: JsonObject) -> list[str]:
    """Return one sentence for each breaking change from `old` to `new`, named by its path; empty if compatible."""
    return list(_Comparison(old, new).schema(old, new, ""))


class _Comparison:
    """Walks two schemas side by side, following references, each pair once."""

    def __init__(self, old: JsonObject, new: JsonObject) -> None:
        self._old_defs: JsonObject = old.get("$defs", {})
        self._new_defs: JsonObject = new.get("$defs", {})
        self._seen: set[tuple[str, str]] = set()

    def schema(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(old, self._old_defs), _resolved(new, self._new_defs)
        for keyword in FIXED:
            if old.get(keyword) != new.get(keyword) and not _enum_instead(keyword, old, new):
                yield f"{path or '/'}: {keyword} changed from {old.get(keyword)!r} to {new.get(keyword)!r}"
        yield from _limits(old, new, path)
        yield from _enums(old, new, path)
        yield from self._fields(old, new, path)
        yield from self._parts(old, new, path)

    def _fields(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
        before: JsonObject = old.get("properties", {})
        after: JsonObject = new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before.keys() - after.keys():
            yield f"{path}/{name}: removed"
        for name in sorted(required_after - required_before):
            yield f"{path}/{name}: became required"
        for name in sorted((required_before - required_after) & after.keys()):
            yield f"{path}/{name}: was required and no longer is; old readers need it"
        for name in sorted(before.keys() & after.keys()):
            yield from self.schema(before[name], after[name], f"{path}/{name}")

    def _parts(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
        for keyword in ("anyOf", "oneOf", "prefixItems"):
            before, after = old.get(keyword, []), new.get(keyword, [])
            if len(before) != len(after):
                yield f"{path or '/'}: {keyword} had {len(before)} alternatives, has {len(after)}"
            for index, (one, other) in enumerate(zip(before, after, strict=False)):
                yield from self.schema(one, other, f"{path}/{keyword}{index}")
        for keyword in ("items", "additionalProperties"):
            before, after = old.get(keyword), new.get(keyword)
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self.schema(before, after, f"{path}/{keyword}")
            elif before != after:
                yield f"{path or '/'}: {keyword} changed"


def _resolved(schema: JsonObject, definitions: JsonObject) -> JsonObject:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: JsonObject = definitions[reference.rpartition("/")[2]]
    return target


def _enum_instead(keyword: str, old: JsonObject, new: JsonObject) -> bool:
    """Say whether `_enums` judges this change: pydantic writes an enum of one value as `const`."""
    return keyword == "const" and ("const" in old or "enum" in old) and ("const" in new or "enum" in new)


def _limits(old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
    for keyword in UPPER_LIMITS:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield f"{path or '/'}: {keyword} narrowed from {old.get(keyword, 'none')} to {new[keyword]}"
    for keyword in LOWER_LIMITS:
        if keyword in new and (keyword not in old or new[keyword] > old[keyword]):
            yield f"{path or '/'}: {keyword} narrowed from {old.get(keyword, 'none')} to {new[keyword]}"


def _enums(old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
    before, after = _values(old), _values(new)
    if before is None and after is None:
        return
    gone = sorted((before or set()) - (after or set()))
    added = sorted((after or set()) - (before or set()))
    if gone:
        yield f"{path or '/'}: enum lost {', '.join(gone)}"
    if added and not old.get(OPEN_MARK):
        yield f"{path or '/'}: closed enum gained {', '.join(added)}"


def _values(schema: JsonObject) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None
