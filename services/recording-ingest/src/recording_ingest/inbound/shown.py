"""How a reader is shown people's phones: masked, unless the token may see them."""

from collections.abc import Callable

from fareline_chassis.privacy import mask_phone, redact_phones

Shown = Callable[[str | None], str | None]
"""How a person's phone is shown to this reader."""


def masked(phone: str | None) -> str | None:
    """Return a person's phone as somebody without `calls:read_numbers` sees it."""
    return mask_phone(phone) if phone else phone


def in_full(phone: str | None) -> str | None:
    """Return a person's phone as it is."""
    return phone


def named(text: str | None, shown: Shown) -> str | None:
    """Return what may name a leg by its phone as this reader sees it."""
    return redact_phones(text) if text and shown is not in_full else text
