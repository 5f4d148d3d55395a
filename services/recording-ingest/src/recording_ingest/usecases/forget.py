"""Let go of what its time is over for, and of whom we were asked to forget."""

from dataclasses import dataclass
from datetime import timedelta

from recording_ingest.domain.keeping import Person, Receipt
from recording_ingest.domain.recordings import object_key
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.keeping import Erasures, Keeping
from recording_ingest.ports.storage import Store

_AT_ONCE = 200
_ORPHAN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What it needs. `topics_keep`: how long any topic keeps what is in it."""

    keeping: Keeping
    erasures: Erasures
    store: Store
    clock: Clock
    topics_keep: timedelta


@dataclass(frozen=True, slots=True)
class LetGo:
    """How much retention removed."""

    recordings: int = 0
    calls: int = 0
    orphans: int = 0


async def apply_retention(tools: Forgetting) -> LetGo:
    """Remove audio and calls that are older than their tenants' policy allows, and objects that nobody names.

    Killed anywhere, it goes on at the next run: a row says `deleted` before its object goes.
    """
    now = tools.clock()
    recordings = calls = 0
    while some := await tools.keeping.let_recordings_go(now, _AT_ONCE):
        recordings += some
        await purge(tools)
    await purge(tools)
    while old := await tools.keeping.old_calls(now, _AT_ONCE):
        recordings += await tools.keeping.let_audio_go(old)
        await purge(tools)
        calls += await tools.keeping.let_calls_go(old)
    return LetGo(recordings, calls, await sweep_orphans(tools))


async def sweep_orphans(tools: Forgetting) -> int:
    """Remove objects that are a day old and that no recording names; return how many."""
    found = 0
    async for keys in tools.store.published(before=tools.clock() - _ORPHAN_AFTER):
        orphans = await tools.keeping.orphans(keys)
        await tools.store.remove(orphans)
        found += len(orphans)
    return found


async def erase_person(tools: Forgetting, person: Person, *, actor: str) -> Receipt:
    """Write a request to forget somebody down, carry it out, and return the receipt. Killed, it is carried on later."""
    now = tools.clock()
    asked = await tools.erasures.ask(person, actor=actor, now=now, topics_clear_at=now + tools.topics_keep)
    await _carry_out(tools, asked)
    receipt = await tools.erasures.receipt(asked)
    assert receipt is not None
    return receipt


async def carry_on(tools: Forgetting) -> None:
    """Carry out what is open: requests cut short, calls whose hold was lifted, events that arrived late."""
    for asked in await tools.erasures.open(tools.clock()):
        await _carry_out(tools, asked)
    while await tools.erasures.erase_late(tools.clock(), _AT_ONCE):
        pass
    # A download that was under way may have published after its row was erased.
    keys = [object_key(entry) for entry in await tools.erasures.recently_erased(tools.clock())]
    await tools.store.remove(keys)
    await purge(tools)


async def purge(tools: Forgetting) -> None:
    """Remove the objects of deleted recordings."""
    while keys := await tools.keeping.to_purge(_AT_ONCE):
        await tools.store.remove(keys)
        await tools.keeping.purged(keys)


async def _carry_out(tools: Forgetting, asked: str) -> None:
    while await tools.erasures.erase_some(asked, _AT_ONCE):
        pass
    await purge(tools)
    await tools.erasures.finish(asked, tools.clock())
