"""Following a chain of hashes: the first link that does not fit is told, and how it does not."""

import hashlib
from dataclasses import replace

import pytest

from recording_ingest.domain.access_chain import GENESIS, Link, Walk, ended, followed


def chain(*ids: int) -> list[Link]:
    links, last = [], GENESIS
    for access_id in ids:
        digest = hashlib.sha256(last + bytes([access_id])).digest()
        links.append(Link(access_id, last, digest, intact=True))
        last = digest
    return links


WHOLE = chain(2, 4, 6, 8)


@pytest.mark.parametrize("at_once", [1, 2, 3, 99])
def test_a_whole_chain_is_whole_however_it_is_read(at_once: int) -> None:
    walk = Walk(kept=WHOLE[1].hash)
    for first in range(0, len(WHOLE), at_once):
        walk = followed(walk, WHOLE[first : first + at_once])
    walk = ended(walk, WHOLE[-1].hash)
    assert (walk.broken, walk.rows, walk.last_id, walk.last_hash) == (None, 4, 8, WHOLE[-1].hash)


def test_an_empty_log_is_whole() -> None:
    assert ended(Walk(), GENESIS).broken is None


@pytest.mark.parametrize(
    ("links", "head", "said"),
    [
        ([WHOLE[0], replace(WHOLE[1], intact=False), *WHOLE[2:]], WHOLE[-1].hash, "row 4: it was changed"),
        ([WHOLE[0], *WHOLE[2:]], WHOLE[-1].hash, "row 6: it does not follow on row 2"),
        (WHOLE[1:], WHOLE[-1].hash, "row 4: it does not follow on the beginning"),
        ([*WHOLE[:2], *chain(2, 4, 5)[2:], *WHOLE[2:]], WHOLE[-1].hash, "row 6: it does not follow on row 5"),
        ([*WHOLE[:2], WHOLE[3], WHOLE[2]], WHOLE[-1].hash, "row 8: it does not follow on row 4"),
        (WHOLE[:3], WHOLE[-1].hash, "after row 6: the log does not end there"),
        ([], WHOLE[-1].hash, "after the beginning: the log does not end there"),
        (WHOLE, None, "after row 8: the log does not end there"),
    ],
    ids=["changed", "removed", "first removed", "inserted", "moved", "last removed", "emptied", "no head"],
)
def test_the_first_row_that_does_not_fit_is_told(links: list[Link], head: bytes | None, said: str) -> None:
    found = ended(followed(Walk(), links), head)
    assert found.broken is not None
    assert found.broken.startswith(said)


def test_a_log_written_anew_is_told_by_the_hash_that_was_kept() -> None:
    anew = chain(1, 3)
    assert ended(followed(Walk(), anew), anew[-1].hash).broken is None
    found = ended(followed(Walk(kept=WHOLE[2].hash), anew), anew[-1].hash)
    assert found.broken is not None
    assert "the hash that was kept" in found.broken
