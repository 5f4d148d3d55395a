import asyncio
from datetime import timedelta

import pytest
from eventually import eventually

from fareline_chassis.health import Health
from fareline_chassis.lifecycle import Background, explained, wait_for


async def test_waiting_says_what_for_and_ends_when_it_works() -> None:
    part = Health().component("kafka")
    seen: list[str] = []

    async def attempt() -> int:
        seen.append(f"{part.state} {part.detail}")
        if len(seen) < 3:
            raise ConnectionRefusedError("no broker for +79031112233")
        return 7

    assert await wait_for("Kafka", attempt, component=part) == 7
    assert seen[-1] == "waiting waiting for Kafka: ConnectionRefusedError: no broker for +7***2233"
    assert (part.state, part.detail) == ("ok", "")


async def test_waiting_can_be_given_up() -> None:
    part = Health().component("kafka")

    async def attempt() -> None:
        raise OSError("no")

    waiting = asyncio.create_task(wait_for("Kafka", attempt, component=part))
    await eventually(lambda: answered(part.state == "waiting" and part.detail != "not started"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def answered(value: bool) -> bool:
    return value


async def test_a_task_that_fails_is_shown_and_started_again() -> None:
    health = Health()
    background = Background(health)
    runs: list[str] = []
    part = health.component("sweeper")

    async def sweep() -> None:
        runs.append(part.state)
        if len(runs) < 3:
            raise ValueError("no slot for +79031112233")
        await asyncio.Event().wait()

    assert background.spawn("sweeper", sweep) is part
    await eventually(lambda: answered(len(runs) == 3))
    assert runs == ["ok", "failed", "failed"]
    assert (part.state, part.detail) == ("failed", "ValueError: no slot for +7***2233")
    await background.stop()


async def test_a_task_that_runs_steadily_counts_as_well_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fareline_chassis.lifecycle._STEADY_AFTER_S", 0.05)
    health = Health()
    background = Background(health)
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise OSError("gone")
        await asyncio.Event().wait()

    part = background.spawn("drain", work)
    await eventually(lambda: answered(len(runs) == 2 and part.state == "ok"))
    await background.stop()


async def test_a_task_that_returns_is_finished() -> None:
    health = Health()
    background = Background(health)

    async def once() -> None: ...

    part = background.spawn("load", once)
    await eventually(lambda: answered(part.detail == "finished"))
    assert part.state == "ok"
    await background.stop()


async def test_stop_cancels_all_and_waits_for_their_end() -> None:
    background = Background(Health())
    ended: list[str] = []
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("work")

    background.spawn("a", work)
    background.spawn("b", work)
    await eventually(lambda: answered(len(begun) == 2))
    await background.stop()
    assert ended == ["work", "work"]


async def test_stop_does_not_wait_for_ever() -> None:
    background = Background(Health())
    release = asyncio.Event()
    begun = asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    background.spawn("stubborn", stubborn)
    await begun.wait()
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "stubborn"]
    await background.stop(timedelta(milliseconds=10))
    release.set()
    await asyncio.wait(tasks)


async def test_names_are_unique() -> None:
    background = Background(Health())
    background.spawn("a", _for_ever)
    with pytest.raises(ValueError, match="a runs already"):
        background.spawn("a", _for_ever)
    await background.stop()


async def _for_ever() -> None:
    await asyncio.Event().wait()


def test_a_service_that_cannot_use_its_file_ends_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, explained("call-router", LookupError, OSError):
        raise KeyError("+79031112233 is nobody")
    assert end.value.code == 2
    assert capsys.readouterr().err == "call-router cannot start: '+7***2233 is nobody'\n"


def test_what_is_not_foreseen_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="a fault of ours"), explained("call-router", OSError):
        raise ValueError("a fault of ours")
