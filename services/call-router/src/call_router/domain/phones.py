"""Phone numbers as one person's one name (routing rule 0).

PBXs write one phone in many ways: `8 903…`, `7903…`, `+7 903…`, `9031112233`, `007903…`. Here they become one E.164
text, or None for a caller who withholds his number, or whose "number" is no phone at all.
"""

import re
from collections.abc import Iterable, Iterator

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

SHORTEST_PHONE = 7
_LONGEST_TEXT = 64
_SHAPE = re.compile(r"\+?[0-9 ().\-/]{3,40}")
_NOBODY_WORDS = ("anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked")
# The same words spelt on a telephone keypad: some networks send them as if they were numbers.
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
SPELT_WORDS = frozenset(word.translate(_KEYPAD) for word in _NOBODY_WORDS)
_MEXICAN_MOBILE = re.compile(r"\+521(\d{10})")


def normalise(raw: str, region: str) -> str | None:
    """Return `raw` as E.164, read as people of `region` (such as `RU`) write it; None for anything that is no phone."""
    text = _bare(raw)
    if text is None:
        return None
    best = _best(reading for reading in _readings(text, region) if reading is not None)
    return None if best is None else phonenumbers.format_number(best, PhoneNumberFormat.E164)


def _best(readings: Iterable[PhoneNumber]) -> PhoneNumber | None:
    """Return the first valid number, else the first possible one."""
    possible = None
    for reading in readings:
        if phonenumbers.is_valid_number(reading):
            return reading
        if possible is None and phonenumbers.is_possible_number(reading):
            possible = reading
    return possible


def _bare(raw: str) -> str | None:
    """Strip a SIP or tel URI down to its user part; None where no phone can be left."""
    text = raw.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    for scheme in ("sip:", "sips:", "tel:"):
        text = text.removeprefix(scheme)
    text = text.partition("@")[0].partition(";")[0].strip()
    digits = "".join(filter(str.isdigit, text))
    if not _SHAPE.fullmatch(text) or len(digits) < SHORTEST_PHONE or digits in SPELT_WORDS:
        return None
    return text


def _readings(text: str, region: str) -> Iterator[PhoneNumber | None]:
    """Yield what `text` may mean, the most likely first: as dialled there, or with its country code but no plus."""
    digits = "".join(filter(str.isdigit, text))
    bare = digits.lstrip("0")
    international = _MEXICAN_MOBILE.sub(r"+52\1", f"+{digits if text.startswith('+') else bare}")
    if text.startswith("+"):
        spelt = [international]
    elif digits.startswith("00"):
        spelt = [international, digits, bare]
    else:
        spelt = [digits, bare, international]
    return (_parse(one, region) for one in spelt)


def _parse(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None
