"""Looking around in JSON documents."""

from collections.abc import Iterator


def every_reference(document: object) -> Iterator[str]:
    """Yield every `$ref` in a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "$ref":
                yield value
            else:
                yield from every_reference(value)
    elif isinstance(document, list):
        for value in document:
            yield from every_reference(value)
