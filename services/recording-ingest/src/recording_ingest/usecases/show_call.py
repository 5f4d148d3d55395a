"""Show one call: its row, what happened message by message, and why it went where it went."""

from collections.abc import Sequence
from dataclasses import dataclass

from recording_ingest.domain.calls import Attempt, Leg, Moment
from recording_ingest.domain.events import Routed
from recording_ingest.domain.projection import of_kind, ordered
from recording_ingest.domain.recordings import Recording
from recording_ingest.domain.search import Listed
from recording_ingest.domain.storyboard import attempts, legs, timeline
from recording_ingest.ports.calls import CallFinder


@dataclass(frozen=True, slots=True)
class CallPage:
    """Everything about one call. `decisions` are the answers given, each with the rules that led to it."""

    call: Listed
    attempts: Sequence[Attempt]
    legs: Sequence[Leg]
    timeline: Sequence[Moment]
    decisions: Sequence[Routed]
    recordings: Sequence[Recording]


async def show_call(finder: CallFinder, call_id: str) -> CallPage | None:
    """Return the page of a call, None for an unknown one."""
    call = await finder.call(call_id)
    if call is None:
        return None
    story = ordered(await finder.story(call_id))
    return CallPage(
        call=call,
        attempts=attempts(story),
        legs=legs(story),
        timeline=timeline(story),
        decisions=of_kind(story, Routed),
        recordings=await finder.recordings(call_id),
    )
