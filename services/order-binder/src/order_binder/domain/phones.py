"""Phones: one spelling for each, and which of them may never be called."""

import enum
import re
from collections.abc import Collection, Sequence
from functools import lru_cache

import phonenumbers

from order_binder.domain.values import Value

MAX_PHONES = 5
_PLACEHOLDERS = frozenset(
    {"", "0", "anonymous", "null", "none", "private", "restricted", "unavailable", "unknown", "withheld"}
)
# "anonymous" typed on a keypad: what some exchanges show for a withheld caller.
_KEYPAD_ANONYMOUS = "266696687"
# Mexico dropped the mobile mark 1 after its country code in 2019; contact lists still have it.
_OLD_MEXICAN_MOBILE = re.compile(r"(?:00)?521(\d{10})")
_WRITTEN = re.compile(r"\+?[\d\s().\-/\u00a0]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


class PhoneFault(enum.StrEnum):
    """Why a phone of a snapshot was dropped."""

    PLACEHOLDER = "placeholder"
    NOT_A_PHONE = "not_a_phone"
    PROXY_NUMBER = "proxy_number"
    PREFIX_NOT_ALLOWED = "prefix_not_allowed"


class UsablePhones(Value, frozen=True):
    """The phones of a party that may be called, E.164 and in ring order, and a fault for each that was dropped."""

    phones: tuple[str, ...]
    faults: tuple[PhoneFault, ...] = ()


@lru_cache(maxsize=65_536)
def to_e164(written: str, region: str) -> str | PhoneFault:
    """Return the E.164 spelling of a phone as somebody in `region` wrote it, or why it is none.

    `+7 903…`, `8 903…`, `7903…`, `903…` and `007903…` are one phone in RU (case 45).
    """
    text = _INVISIBLE.sub("", written).strip()
    digits = re.sub(r"\D", "", text)
    if text.lower() in _PLACEHOLDERS or digits == _KEYPAD_ANONYMOUS or (digits and not digits.strip("0")):
        return PhoneFault.PLACEHOLDER
    if not _WRITTEN.fullmatch(text):
        return PhoneFault.NOT_A_PHONE
    spellings = [f"+{digits[2:]}"] if digits.startswith("00") else []
    if mexican := _OLD_MEXICAN_MOBILE.fullmatch(digits):
        spellings.append(f"+52{mexican[1]}")
    spellings.append(f"+{digits}" if text.startswith("+") else digits)
    for spelling in spellings:
        found = _parsed(spelling, region)
        if found is not None:
            return found
    return PhoneFault.NOT_A_PHONE


def _parsed(spelling: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def known_region(region: str) -> bool:
    """Whether phones of an ISO country can be read at all."""
    return region in phonenumbers.SUPPORTED_REGIONS


def readable_phones(written: Sequence[str], region: str) -> tuple[str, ...]:
    """Return those of `written` that are phones at all, E.164, without judging whether they may be called."""
    return tuple(phone for phone in (to_e164(text, region) for text in written) if not isinstance(phone, PhoneFault))


def usable_phones(
    written: Sequence[str], *, region: str, proxies: Collection[str], prefixes: Sequence[str]
) -> UsablePhones:
    """Normalise a party's phones and drop what may not be called (cases 9, 48, 54, 55).

    `proxies` holds proxy numbers of every tenant; empty `prefixes` allow every phone. A phone given twice counts once.
    """
    phones: dict[str, None] = {}
    faults: list[PhoneFault] = []
    for text in written:
        phone = to_e164(text, region)
        if not isinstance(phone, PhoneFault):
            fault = _forbidden(phone, proxies, prefixes)
            if fault is None:
                phones[phone] = None
                continue
            phone = fault
        faults.append(phone)
    return UsablePhones(tuple(phones)[:MAX_PHONES], tuple(faults))


def _forbidden(phone: str, proxies: Collection[str], prefixes: Sequence[str]) -> PhoneFault | None:
    if phone in proxies:
        return PhoneFault.PROXY_NUMBER
    if prefixes and not phone.startswith(tuple(prefixes)):
        return PhoneFault.PREFIX_NOT_ALLOWED
    return None
