"""What the router knows, on disk and back."""

import asyncio
import os
import stat
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from router_use import Desk
from router_world import C1, D1, D2, DRIVERS_CODE, MAIN, POOL, STRANGER, T0, World, binding, minutes

from call_router.domain.bindings import Link, Role
from call_router.domain.calls import QuestionKind
from call_router.domain.policy import Limit, OnUnanswered, Policy
from call_router.ports import SnapshotUnusable
from call_router.records.topics_read import CONTINUES_WITHIN, TopicsRead
from call_router.replica import frames
from call_router.replica.snapshot import Snapshot
from call_router.replica.store import ReplicaStore

READ = TopicsRead({"fareline.bindings.v1": "ab" * 16}, {"fareline.bindings.v1": {0: 7, 2: 9}}, T0)
AS_OF = {0: T0 - minutes(1), 1: T0}
POLICY = Policy(
    code_digits=7,
    follow_caller=False,
    unanswered_by_client=OnUnanswered.OPERATOR,
    callback_within=minutes(3),
    dials_active=Limit(3, minutes(7)),
    default_route="night",
)


@pytest.fixture
def world():
    world = World()
    world.tenant("solo", POLICY, frozenset({"101"}))
    world.put(binding(), binding("o-2", driver=D2, driver_id=None, number=MAIN, codes=("0001112", "0001113")))
    world.tried(Link(world.store.bindings.get("demo", "o-1"), Role.DRIVER), at=T0 + minutes(4))
    world.mistyped(STRANGER, POOL, 2, known=False)
    world.mistyped(None, POOL, 1, known=False)
    world.store.recent.called_from("demo", "o-1", Role.CLIENT, C1)
    return world


async def restored(path):
    store = ReplicaStore()
    head = await Snapshot(path, store).restore()
    return head, store


async def test_everything_comes_back(world, tmp_path):
    path = tmp_path / "snapshot" / "replica"
    desk = Desk(world)
    answered = await desk.answer(world.question(QuestionKind.STARTED, D1, POOL), desk.pbx)
    size = await Snapshot(path, world.store).write(READ, AS_OF, world.now)
    assert size == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head, store = await restored(path)
    assert (head.read, head.input_as_of) == (READ, AS_OF)
    assert list(store.bindings.all()) == list(world.store.bindings.all())
    assert store.inventory.numbers() == world.store.inventory.numbers()
    assert store.inventory.tenants() == world.store.inventory.tenants()
    assert store.view.codes.longest("demo", T0) == 7
    mine, theirs = store.recent, world.store.recent
    assert mine.dialled_ones() == theirs.dialled_ones()
    assert mine.mistyped_ones() == theirs.mistyped_ones()
    assert list(chain(*mine.last_phones())) == list(chain(*theirs.last_phones())) != []
    assert mine.wrong_codes_at(POOL, T0) == 3
    heard = store.calls.of(answered.call_id).heard
    dial = answered.decision.actions[-1]
    assert (heard.step, heard.order_id, heard.tenant) == (1, "o-1", "demo")
    assert (heard.action.targets, heard.action.context) == (dial.targets, dial.context)


async def test_an_empty_store_is_a_snapshot_too(tmp_path):
    await Snapshot(tmp_path / "s", ReplicaStore()).write(READ, {}, T0)
    head, store = await restored(tmp_path / "s")
    assert head.read == READ
    assert len(store.bindings) == 0


async def test_no_byte_may_differ(world, tmp_path):
    path = tmp_path / "s"
    await Snapshot(path, world.store).write(READ, AS_OF, world.now)
    whole = path.read_bytes()
    places = [*range(0, len(whole), max(1, len(whole) // 150)), len(whole) - 1]
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        await assert_refused(path)
        path.write_bytes(whole[:place])
        await assert_refused(path)
    path.write_bytes(whole + b"x")
    await assert_refused(path)
    path.write_bytes(frames.opening() + frames.closing(0))
    await assert_refused(path)
    path.unlink()
    await assert_refused(path)


async def assert_refused(path):
    store = ReplicaStore()
    with pytest.raises(SnapshotUnusable):
        await Snapshot(path, store).restore()
    assert len(store.bindings) == 0
    assert store.inventory.tenants() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_frames_are_refused_or_read(tmp_path_factory, payloads):
    path = tmp_path_factory.mktemp("any") / "s"
    framed = b"".join(frames.framed(one) for one in payloads)
    path.write_bytes(frames.opening() + framed + frames.closing(len(payloads)))
    with pytest.raises(SnapshotUnusable):
        asyncio.run(Snapshot(path, ReplicaStore()).restore())


async def test_rows_of_another_layout_are_not_read(world, tmp_path, monkeypatch):
    await Snapshot(tmp_path / "s", world.store).write(READ, AS_OF, world.now)
    monkeypatch.setattr("call_router.replica.snapshot.LAYOUT", 1)
    await assert_refused(tmp_path / "s")


async def test_a_disk_that_refuses_leaves_the_old_one(world, tmp_path, monkeypatch):
    snapshot = Snapshot(tmp_path / "s", world.store)
    await snapshot.write(READ, AS_OF, world.now)
    before = (tmp_path / "s").read_bytes()
    world.put(binding("o-3", driver=STRANGER))

    def refuse(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        await snapshot.write(READ, AS_OF, world.now)
    assert (tmp_path / "s").read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"]


async def test_calls_are_answered_while_it_is_written_and_what_comes_meanwhile_is_never_lost(tmp_path):
    """News after the offsets were noted may be in it or not: reading on from the offsets brings it again."""
    world = World()
    for number in range(4000):
        world.put(binding(f"o-{number}", driver=f"+7903{number:07}", codes=(f"{number:06}", f"{number:07}")))
    news, writing = [], asyncio.create_task(Snapshot(tmp_path / "s", world.store).write(READ, AS_OF, world.now))
    while not writing.done():
        number = len(news)
        one = binding(f"o-{number}", driver=D1, revision=2, codes=(f"{number:06}", f"{number:07}"))
        world.store.put_binding(one)
        world.store.drop_binding("demo", f"o-{3999 - number}")
        news.append(one)
        assert world.call(D1, POOL).actions
        await asyncio.sleep(0)
    await writing
    assert len(news) > 4, "the loop went on meanwhile"
    _, store = await restored(tmp_path / "s")
    for number, one in enumerate(news):
        store.put_binding(one)
        store.drop_binding("demo", f"o-{3999 - number}")
    assert {one.order_id: one for one in store.bindings.all()} == {
        one.order_id: one for one in world.store.bindings.all()
    }


def test_reading_goes_on_only_in_the_same_topic_and_not_too_late():
    ids = {"fareline.bindings.v1": "ab" * 16}
    assert READ.continues("fareline.bindings.v1", ids, T0 + CONTINUES_WITHIN - minutes(1))
    assert not READ.continues("fareline.bindings.v1", ids, T0 + CONTINUES_WITHIN)
    assert not READ.continues("fareline.bindings.v1", {"fareline.bindings.v1": "cd" * 16}, T0)
    assert not READ.continues("fareline.bindings.v1", {}, T0)
    assert not READ.continues("fareline.numbers.v1", {}, T0), "a topic that was never read"
    assert not READ.continues("fareline.bindings.v1", ids, T0 - minutes(1)), "a snapshot from the future"
    assert timedelta(days=3.5) == CONTINUES_WITHIN
    assert READ.places("fareline.bindings.v1") == {("fareline.bindings.v1", 0): 7, ("fareline.bindings.v1", 2): 9}


def test_contents_loaded_beside_replace_the_old_ones_at_once():
    world = World()
    world.put(binding())
    fresh = world.store.beside()
    assert world.call(D1, POOL).reason == "pair"
    world.store.put_binding(binding("o-9", driver=D2, revision=9))
    for number in world.store.inventory.numbers():
        fresh.put_number(number)
    for tenant in world.store.inventory.tenants():
        fresh.put_tenant(tenant)
    assert world.call(D2, POOL).reason == "pair"
    world.store.serve_loaded()
    assert world.call(D1, POOL).reason == "unknown_caller", "what the topic does not hold any more is gone"
    assert world.call(D2, POOL).reason == "pair", "order-binder's answers went into both"
    assert world.types(D2, POOL, DRIVERS_CODE).reason == "extension"
