"""Phones as people write them, and whose they are in the story."""

from collections.abc import Mapping

_RUSSIAN = len("+79031112233")


def readable(phone: str) -> str:
    """Return a Russian number with its usual gaps, any other as it is: `+7 903 111-22-33`."""
    if not (phone.startswith("+7") and len(phone) == _RUSSIAN):
        return phone
    return f"+7 {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}"


def named(phone: str, names: Mapping[str, str]) -> str:
    """Return the owner's name and the phone, the phone alone where nobody is known to own it."""
    return f"{names[phone]} {readable(phone)}" if phone in names else readable(phone)
