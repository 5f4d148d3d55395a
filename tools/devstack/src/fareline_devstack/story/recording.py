"""Third chapter: a call is talked, ends, and its recording arrives in the call log."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import perf_counter

from fareline_devstack.story.audio import Audio, conversation
from fareline_devstack.story.call_log import Part, Row
from fareline_devstack.story.people import ANNA, IGOR
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.scene import Exchange, Scene, StoryFailed, Via
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Step
from fareline_devstack.story.zadarma import ZadarmaCall

_TALK_S = 4.0
_STORED_WITHIN_S = 90.0
_DURATION_TOLERANCE_S = 0.25
_LISTEN_FROM, _LISTEN_TO = 1000, 1999


@dataclass(frozen=True, slots=True)
class _Talk:
    """The call that is recorded, what was said, and the PBX's id of the recording."""

    call: ZadarmaCall
    audio: Audio
    recording_id: str


class Recording:
    """Order o-1001 once more: driver and client talk for some seconds, and somebody listens to it afterwards."""

    title = "The recording"
    about = "Zadarma records the call and wants 15 s before it hands the file out. Fareline fetches it and keeps it."

    def __init__(self, stage: Stage, ride: Ride) -> None:
        self._stage = stage
        self._ride = ride
        self._talked: _Talk | None = None
        self._part: Row = {}

    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
        return (
            Step("The driver calls, the client answers, they talk and hang up", self._talk),
            Step("The PBX announces the recording; it is fetched, checked and stored", self._arrives),
            Step("The call log shows the call with order, reason and duration", self._in_the_log),
            Step("Somebody listens to a part of the recording", self._listen),
        )

    async def _talk(self, scene: Scene) -> None:
        call = self._stage.zadarma.call(IGOR.phone, self._ride.number(scene))
        await self._ride.connects(self._stage, scene, call, caller=IGOR, callee=ANNA)
        await call.answered_by(ANNA.phone)
        began = perf_counter()
        audio = await asyncio.to_thread(conversation, _TALK_S)
        talk = _Talk(call, audio, f"{int(self._stage.opened_at.timestamp())}.{secrets.randbelow(10**6):06}")
        self._stage.recordings.keep(call.pbx_call_id, talk.recording_id, audio.data)
        await asyncio.sleep(max(0.0, _TALK_S - (perf_counter() - began)))
        ended = perf_counter()
        await call.ended(talked=timedelta(seconds=_TALK_S), recording_id=talk.recording_id)
        scene.note(Exchange(Via.ZADARMA, f"{ANNA.name} answers, they talk for {_TALK_S:.0f} s", "noted", _since(ended)))
        self._talked = talk

    async def _arrives(self, scene: Scene) -> None:
        talk = self._talk_of(scene)
        began = perf_counter()
        await talk.call.recorded(talk.recording_id)
        scene.note(Exchange(Via.ZADARMA, "the recording can be fetched", "noted", _since(began)))
        rows = await self._stage.call_log.wait_for(
            self._stage.opened_at,
            what="the recording as stored",
            holds=lambda rows: row_of(rows, talk.call.pbx_call_id).get("recording") == "stored",
            within_s=_STORED_WITHIN_S,
        )
        parts = await self._stage.call_log.recordings(str(row_of(rows, talk.call.pbx_call_id)["call_id"]))
        scene.expect("the number of recording parts", got=len(parts), expected=1)
        self._part = parts[0]
        seconds = float(self._part["duration_s"])
        stored = f"stored: {self._part['size_bytes']:,} bytes, {seconds:.1f} s, as the PBX has it"
        scene.note(Exchange(Via.LOG, "is the recording stored?", stored, _since(began)))
        digest = hashlib.sha256(talk.audio.data).hexdigest()
        scene.expect("the sha256 of the stored file", got=self._part["sha256"], expected=digest)
        _expect_near(scene, "the duration of the recording", seconds, talk.audio.seconds, _DURATION_TOLERANCE_S)

    async def _in_the_log(self, scene: Scene) -> None:
        began = perf_counter()
        row = row_of(await self._stage.call_log.calls(self._stage.opened_at), self._talk_of(scene).call.pbx_call_id)
        talked = float(row.get("talk_s") or 0)
        said = f"{row['order_id']}, {row['reason']}, {row['disposition']}, talked {talked:.0f} s"
        scene.note(Exchange(Via.LOG, f"the call of {IGOR.name}", said, _since(began)))
        scene.expect("the order of the call", got=row["order_id"], expected=self._ride.order.order_id)
        scene.expect("the reason of the decision", got=row["reason"], expected="pair")
        scene.expect("how the call ended", got=row["disposition"], expected="answered")
        _expect_near(scene, "the time talked", talked, _TALK_S, 1.0)

    async def _listen(self, scene: Scene) -> None:
        whole = self._talk_of(scene).audio.data
        began = perf_counter()
        part = await self._stage.call_log.listen(str(self._part["recording_id"]), first=_LISTEN_FROM, last=_LISTEN_TO)
        asked = f"bytes {_LISTEN_FROM} to {_LISTEN_TO} of the recording"
        heard = f"{part.status} {HTTPStatus(part.status).phrase}, {len(part.data)} bytes, {part.content_type}"
        scene.note(Exchange(Via.LOG, asked, heard, _since(began)))
        expected = Part(
            status=HTTPStatus.PARTIAL_CONTENT,
            content_range=f"bytes {_LISTEN_FROM}-{_LISTEN_TO}/{len(whole)}",
            content_type="audio/mpeg",
            data=whole[_LISTEN_FROM : _LISTEN_TO + 1],
        )
        scene.expect("the part of the recording", got=part, expected=expected)

    def _talk_of(self, scene: Scene) -> _Talk:
        if self._talked is None:
            raise StoryFailed(step=scene.step, what="the recorded call", got="no call", expected="a call")
        return self._talked


def row_of(rows: Sequence[Row], pbx_call_id: str) -> Row:
    """Return the call log's row of a call of the PBX, an empty one where it has none yet."""
    return next((row for row in rows if row["pbx_call_id"] == pbx_call_id), {})


def _expect_near(scene: Scene, what: str, got: float, expected: float, tolerance: float) -> None:
    holds = abs(got - expected) <= tolerance
    scene.expect_that(what, holds=holds, got=f"{got:.2f} s", expected=f"{expected:.2f} ± {tolerance} s")


def _since(began: float) -> timedelta:
    return timedelta(seconds=perf_counter() - began)
