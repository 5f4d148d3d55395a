"""Phone numbers as one person's one name (routing rule 0).

PBXs write one phone in many ways: `8 903…`, `7903…`, `+7 903…`, `9031112233`, `007903…`. Here they become one E.164
text, or None for a caller who withholds his number, or whose "number" is no phone at all.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

SHORTEST_PHONE = 7
_LONGEST_TEXT = 64
_SHAPE = re.compile(r"\+?[0-9 ().\-/]{3,40}")
_NOBODY_WORDS = ("anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked")
# The same words spelt on a telephone keypad: some networks send them as if they were numbers.
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_NOBODY_DIGITS = frozenset(word.translate(_KEYPAD) for word in _NOBODY_WORDS)
_MEXICAN_MOBILE = re.compile(r"\+521(\d{10})")


@lru_cache(maxsize=65_536)
def normalise(raw: str, region: str) -> str | None:
    """Return `raw` as E.164, read as people of `region` (such as `RU`) write it; None for anything that is no phone."""
    text = _bare(raw)
    if text is None:
        return None
    readings = [reading for reading in _readings(text, region) if reading is not None]
    best = next(filter(phonenumbers.is_valid_number, readings), None)
    if best is None:
        best = next(filter(phonenumbers.is_possible_number, readings), None)
    return None if best is None else phonenumbers.format_number(best, PhoneNumberFormat.E164)


def _bare(raw: str) -> str | None:
    """Strip a SIP or tel URI down to its user part; None where no phone can be left."""
    text = raw.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    for scheme in ("sip:", "sips:", "tel:"):
        text = text.removeprefix(scheme)
    text = text.partition("@")[0].partition(";")[0].strip()
    digits = "".join(filter(str.isdigit, text))
    if not _SHAPE.fullmatch(text) or len(digits) < SHORTEST_PHONE or digits in _NOBODY_DIGITS:
        return None
    return text


def _readings(text: str, region: str) -> list[PhoneNumber | None]:
    """Return what `text` may mean, the most likely first: as dialled there, or with its country code but no plus."""
    digits = "".join(filter(str.isdigit, text))
    if text.startswith("+"):
        return [_parse(_MEXICAN_MOBILE.sub(r"+52\1", f"+{digits}"), region)]
    international = f"+{digits.lstrip('0')}"
    as_country_code = _parse(_MEXICAN_MOBILE.sub(r"+52\1", international), region)
    without_zeros = _parse(digits.lstrip("0"), region)
    if digits.startswith("00"):
        return [as_country_code, _parse(digits, region), without_zeros]
    return [_parse(digits, region), without_zeros, as_country_code]


def _parse(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None
