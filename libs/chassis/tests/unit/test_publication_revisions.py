"""The compact table says what a dictionary would say, but for keys that ended long ago."""

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fareline_chassis.publication.revisions import HIGHEST, Revisions

revisions = st.one_of(st.integers(0, 9), st.sampled_from([HIGHEST - 1, HIGHEST]))
few_keys = st.lists(st.tuples(st.binary(max_size=3), revisions, st.booleans()))


class Model:
    """The same with whole keys in a dictionary, forgetting nothing."""

    def __init__(self):
        self.known = {}

    def take(self, key, revision, *, ended):
        if revision < self.known.get(key, (0,))[0]:
            return False
        self.known[key] = (revision, ended)
        return True


@settings(deadline=None)
@given(few_keys)
def test_it_says_what_a_dictionary_says(log):
    table, model = Revisions(), Model()
    for key, revision, ended in log:
        assert table.take(key, revision, ended=ended) == model.take(key, revision, ended=ended)


@settings(deadline=None)
@given(st.integers(0, 2**64), st.integers(1, 5_000))
def test_it_goes_on_saying_so_as_it_grows(seed, keys):
    table, model, chance = Revisions(), Model(), random.Random(seed)
    for _ in range(2 * keys):
        key, revision, ended = b"%d/%d" % (seed, chance.randrange(keys)), chance.randrange(5), chance.random() < 0.3
        assert table.take(key, revision, ended=ended) == model.take(key, revision, ended=ended)


def test_a_live_key_is_never_forgotten_and_the_latest_ended_ones_are_not_yet():
    table = Revisions(ended_kept=1_000)
    live = [b"live/%d" % number for number in range(500)]
    for key in live:
        table.take(key, 5, ended=False)
    ended = [b"ended/%d" % number for number in range(100_000)]
    for revision, key in enumerate(ended, start=10):
        table.take(key, revision, ended=True)

    assert not any(table.take(key, 4, ended=False) for key in live)
    assert not any(table.take(key, 9, ended=False) for key in ended[-500:])
    assert all(table.take(key, 9, ended=False) for key in ended[:500])


def test_a_key_that_comes_back_counts_as_live():
    table = Revisions(ended_kept=64)
    table.take(b"a", 1, ended=True)
    table.take(b"a", 2, ended=False)
    for revision in range(10, 10_000):
        table.take(b"%d" % revision, revision, ended=True)

    assert table.take(b"a", 1, ended=False) is False


def test_memory_goes_by_what_is_known_and_not_by_the_length_of_keys_or_what_has_ended():
    tracemalloc.start()
    try:
        table = Revisions(ended_kept=1_000)
        for number in range(10_000):
            table.take(b"%190d" % number, number, ended=False)
        live, _ = tracemalloc.get_traced_memory()
        for number in range(50_000):
            table.take(b"%100d" % number, number, ended=True)
        later, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert live < 10_000 * 64
    assert later < live * 2.5


@pytest.mark.parametrize("revision", [-1, HIGHEST + 1])
def test_what_is_no_revision_changes_nothing(revision):
    table = Revisions()
    with pytest.raises(OverflowError):
        table.take(b"a", revision, ended=False)

    assert table.take(b"a", 0, ended=False)
