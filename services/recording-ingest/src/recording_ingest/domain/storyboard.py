"""What is shown of one call besides its row: attempts, legs and the timeline, from the same events."""

from collections.abc import Sequence

from recording_ingest.domain.calls import Attempt, Leg, Moment
from recording_ingest.domain.events import CallEvent, Decision, Ended, Progress, Ready, Routed
from recording_ingest.domain.projection import of_kind


def attempts(story: Sequence[CallEvent]) -> list[Attempt]:
    """Return each dial of an ordered story; its result is what the next question or the end says of it."""
    routed, ended = of_kind(story, Routed), of_kind(story, Ended)
    found = []
    for index, event in enumerate(routed):
        if event.decision.deed != "dial":
            continue
        later = next((after.dial_result for after in routed[index + 1 :] if after.dial_result), None)
        found.append(
            Attempt(
                step=event.step,
                at=event.head.at,
                targets=event.decision.targets,
                direction=event.decision.direction,
                order_id=event.decision.order_id,
                order_status=event.decision.order_status,
                result=later or (ended[-1].disposition if ended else None),
            )
        )
    return found


def legs(story: Sequence[CallEvent]) -> list[Leg]:
    """Return the legs that progress reports named, in the order in which they appeared."""
    progress = of_kind(story, Progress)
    names = dict.fromkeys(event.leg for event in progress)
    return [_leg(name, [event for event in progress if event.leg == name]) for name in names]


def timeline(story: Sequence[CallEvent]) -> list[Moment]:
    """Return one line for each message of the PBX, in the order in which things happened."""
    return [
        Moment(at=event.head.at, received_at=event.head.received_at, what=what, detail=detail)
        for event in story
        for what, detail in (_said(event),)
    ]


def _leg(name: str | None, reports: list[Progress]) -> Leg:
    first = {report.state: report.head.at for report in reversed(reports)}
    return Leg(name, first.get("ringing"), first.get("answered"), first.get("bridged"))


def _said(event: CallEvent) -> tuple[str, str]:
    match event:
        case Routed():
            return event.question, f"{_deed(event.decision)}: {event.decision.reason}"
        case Progress():
            return f"call.progress {event.state}", f"leg {event.leg}" if event.leg else ""
        case Ended():
            cause = f", cause {event.cause}" if event.cause is not None else ""
            by = f", by {event.hangup_by}" if event.hangup_by else ""
            return "call.ended", f"{event.disposition}{cause}{by}"
        case Ready():
            return "recording.ready", f"part {event.part}"


def _deed(decision: Decision) -> str:
    played = f"play {', '.join(decision.prompts)}, " if decision.prompts and decision.deed != "ask" else ""
    match decision.deed:
        case "dial":
            return f"{played}dial {len(decision.targets)} target(s), {'recorded' if decision.record else 'unrecorded'}"
        case "fallback":
            return f"{played}fallback {decision.fallback_target}"
        case _:
            return f"{played}{decision.deed}"
