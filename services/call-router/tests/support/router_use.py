"""The use cases with a journal that only remembers, and a PBX that does everything it is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router_world import World

from call_router.domain.calls import Question
from call_router.domain.decisions import Decision
from call_router.domain.reports import Report
from call_router.ports import Answered, CallMemory, Found, JournalRefused, PbxResponse, Wanted
from call_router.usecases.answer_question import AnswerQuestion
from call_router.usecases.decide import Decide
from call_router.usecases.record_report import RecordReport


@dataclass
class RememberingJournal:
    """Keeps what is written down; `full` makes it refuse."""

    answers: list[Answered] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    traces: list[str | None] = field(default_factory=list)
    full: bool = False

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        if self.full:
            raise JournalRefused("full")
        self.answers.append(answered)
        self.traces.append(trace)

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> None:
        if self.full:
            raise JournalRefused("full")
        self.reports.append(report)


@dataclass
class PlainPbx:
    """An adapter without limits."""

    def parse(self, request: object) -> Question:
        raise NotImplementedError

    def fit(self, question: Question, decision: Decision) -> Decision:
        return decision

    def render(self, question: Question, decision: Decision) -> PbxResponse:
        return PbxResponse(b"")

    def accepted(self) -> PbxResponse:
        return PbxResponse(b"")


@dataclass
class ScriptedBinder:
    """Order-binder with prepared knowledge; counts how often it is asked."""

    found: Found | None = None
    asked: list[Wanted] = field(default_factory=list)

    async def find(self, wanted: Wanted) -> Found | None:
        self.asked.append(wanted)
        return self.found


@dataclass
class Data:
    """How good the data is said to be."""

    unsure: bool = False
    known_age: timedelta | None = timedelta(seconds=1)

    def age(self, now: datetime) -> timedelta | None:
        return self.known_age


@dataclass
class Desk:
    """Everything around one router's use cases."""

    world: World = field(default_factory=World)
    journal: RememberingJournal = field(default_factory=RememberingJournal)
    binder: ScriptedBinder = field(default_factory=ScriptedBinder)
    data: Data = field(default_factory=Data)
    pbx: PlainPbx = field(default_factory=PlainPbx)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        store = self.world.store
        self.decide = Decide(store, self.data, self.binder, self.clock)
        self.answer = AnswerQuestion(
            self.decide,
            store,
            self.journal,
            self.clock,
            on_trouble=lambda what, error: self.troubles.append(f"{what}: {type(error).__name__}"),
        )
        self.record = RecordReport(store, self.journal, self.clock)

    def clock(self) -> datetime:
        return self.world.now
