r"""Phone numbers never leave a process in full through logs, metrics, traces, URLs or exception texts.

The rule of `redact_phones`, for text that nobody can vouch for:

* After a plus sign (also written `%2B` or `\u002b`), 7 to 15 digits are a phone, whatever stands around them.
* Without it, 9 to 15 digits are a phone when no letter or further digit touches them: national numbers have nine or
  more, a revision (16 digits, microseconds since 1970) has too many, a hex id has letters.
* Spaces, dots, hyphens and brackets may stand between the digits: `8 (903) 111-22-33`.
* Left alone although they look alike: dates and times, UUIDs, IPv4 addresses, decimal fractions.

What remains in doubt is masked: a long number that somebody formatted into a message, such as a count or an order id
of ten digits. Give such values to the log as fields of their own: see `fareline_chassis.logs`.
"""

import re
from typing import Final

_SHOWN_AT_END: Final = 4
_MIN_DIGITS_FOR_TAIL: Final = 7

_GAP = r"[ \u00a0().\-\u2010-\u2013]{0,3}"
_YEAR = r"(?<!\w)(?:19|20|21)\d\d"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_HOUR = r"(?:[01]\d|2[0-4])"
_CLOCK = rf"{_HOUR}:[0-5]\d(?::[0-6]\d(?:[.,]\d{{1,9}})?)?(?:Z|[+-]\d\d:?\d\d)?"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_KEPT = "|".join(
    (
        r"(?<![\w-])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![\w-])",  # UUID
        rf"{_YEAR}-{_MONTH}-{_DAY}(?:[T_ -]{_CLOCK})?(?!\d|-\d)",  # date, with a time or without
        rf"{_YEAR}{_MONTH}{_DAY}[T_-]?{_HOUR}[0-5]\d[0-6]\dZ?(?!\w)",  # the same without punctuation
        rf"(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.]\d|\d)",  # IPv4
        r"(?<![\w.+])(?:\d{1,7}|1\d{9})\.\d+(?!\d|\.\d)",  # fraction; also seconds since 1970 with one
    )
)
_PLUS = r"(?:\+|%(?:25)*2[Bb]|\\u002[Bb])"
_FREE = r"(?:(?<![^\W_])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
_PHONE = "|".join(
    (
        rf"(?P<plus>{_PLUS})[ \u00a0(]{{0,2}}(?:\d{{7,15}}(?!\d)|\d(?:{_GAP}\d){{6,14}}(?!\d))",
        rf"{_FREE}(?:\d{{9,15}}(?![^\W_])|\d(?:{_GAP}\d){{8,14}}(?![^\W_]))",
    )
)
_SCAN = re.compile(rf"(?P<kept>{_KEPT})|{_PHONE}")
_WORTH_SCANNING = re.compile(rf"\d(?:{_GAP}\d){{6}}")


def mask_phone(phone: str) -> str:
    """Return `phone` with its middle hidden: `+79031112233` becomes `+7***2233`; a short number is hidden whole."""
    digits = "".join(filter(str.isdigit, phone))
    if len(digits) < _MIN_DIGITS_FOR_TAIL:
        return "***"
    sign = "+" if phone.lstrip().startswith("+") else ""
    return f"{sign}{digits[0]}***{digits[-_SHOWN_AT_END:]}"


def redact_phones(text: str) -> str:
    """Return `text` with every part that may be a phone masked as by `mask_phone`; the rule is the module's."""
    return _SCAN.sub(_masked, text) if _WORTH_SCANNING.search(text) else text


def redact_plus_phones(text: str) -> str:
    """Mask only phones with a plus sign: for a value that is known to be an identifier, such as an order id."""
    return _SCAN.sub(_masked_after_plus, text) if _WORTH_SCANNING.search(text) else text


def _masked(match: re.Match[str]) -> str:
    if match["kept"] is not None:
        return match[0]
    plus = match["plus"] or ""
    return plus + mask_phone(match[0][len(plus) :])


def _masked_after_plus(match: re.Match[str]) -> str:
    return match[0] if match["plus"] is None else _masked(match)
