"""Explain where a call would go, and why. Nothing is remembered or written down."""

from dataclasses import dataclass

from call_router.domain.calls import Question
from call_router.domain.decisions import Decision
from call_router.ports import PbxAdapter
from call_router.usecases.decide import Decide


@dataclass(frozen=True, slots=True)
class ExplainRoute:
    """The decision of a question that nobody asked."""

    decide: Decide

    async def __call__(self, question: Question, adapter: PbxAdapter) -> Decision:
        """Return the decision as the PBX can carry it out, with every rule that was tried."""
        return adapter.fit(question, await self.decide(question))
