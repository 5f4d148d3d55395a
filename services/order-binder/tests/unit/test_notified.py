"""A notification wakes whom it concerns, and everybody where it does not say."""

import pytest

from order_binder.inbound.notified import wake_partitions


@pytest.mark.parametrize(
    ("said", "woken"),
    [("", {None}), ("14", {2}), ("14 26 3", {2, 3}), ("2147483647", {7}), ("all of it", {None}), ("3 x", {None})],
)
def test_the_partitions_of_the_hashes_are_woken_once(said, woken):
    heard = []
    wake_partitions(heard.append, 12)(said)
    assert (set(heard), len(heard)) == (woken, len(woken))
