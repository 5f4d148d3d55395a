"""Rule 0 for one number after the other: what `normalise` finds in twenty microseconds, mostly found in one.

PBXs write most callers in E.164 already, which the country's numbering plan tells at a glance, and the numbers that are
dialled are few.
"""

import re
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from call_router.domain.phones import SPELT_WORDS, normalise

_REMEMBERED = 16_384
_LONGEST_CALLING_CODE = 3
_WRITTEN_AS_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


class PhoneReader:
    """Reads numbers, remembering numbering plans and the latest `most` numbers that needed more than a glance."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._plans: dict[str, _Plan | None] = {}
        self._at_length = lru_cache(most)(normalise)

    def __call__(self, raw: str, region: str) -> str | None:
        """Return what `normalise` returns."""
        return raw if self._stands(raw) else self._at_length(raw, region)

    def _stands(self, raw: str) -> bool:
        """Whether `raw` is surely a phone in E.164 as it stands."""
        if not _WRITTEN_AS_E164.fullmatch(raw) or raw[1:] in SPELT_WORDS:
            return False
        for length in range(1, _LONGEST_CALLING_CODE + 1):
            plan = self._plan(raw[1 : 1 + length])
            if plan is not None:
                return plan.fits(raw[1 + length :])
        return False

    def _plan(self, calling_code: str) -> "_Plan | None":
        if calling_code not in self._plans:
            self._plans[calling_code] = _plan_of(int(calling_code))
        return self._plans[calling_code]


class _Plan:
    """What a country's national numbers look like: their lengths, and the prefix that is dialled at home only."""

    def __init__(self, lengths: frozenset[int], home_prefix: str | None) -> None:
        self._lengths = lengths
        self._home_prefix = re.compile(home_prefix) if home_prefix else None

    def fits(self, national: str) -> bool:
        """Whether `national` is a possible number that no prefix could have to be taken from."""
        if len(national) not in self._lengths or national[0] == "0":
            return False
        return self._home_prefix is None or self._home_prefix.match(national) is None


def _plan_of(calling_code: int) -> _Plan | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(calling_code)
    if regions is None:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, regions[0])
    if metadata is None or metadata.general_desc is None:
        return None
    return _Plan(frozenset(metadata.general_desc.possible_length), metadata.national_prefix_for_parsing)
