"""Questions to the call log that are written down before they are answered: for a person, or for everything at once."""

from starlette.requests import Request

from fareline_chassis.auth import Grant
from fareline_chassis.privacy import redact_phones
from fareline_chassis.problems import Problem
from recording_ingest.inbound.access import READ, Gate, tenants_of
from recording_ingest.inbound.askers import REQUEST_ID, asker_of
from recording_ingest.inbound.questions import Filters
from recording_ingest.ports.access_log import AccessLog, Asker, Outcome
from recording_ingest.ports.clock import Clock
from recording_ingest.usecases.note_question import note_question


class Notary:
    """Lets readers of the call log in, and writes down what they are about to be given and what they may not have."""

    def __init__(self, log: AccessLog, gate: Gate, clock: Clock) -> None:
        self._log = log
        self._gate = gate
        self._clock = clock

    async def admit(self, request: Request, question: Filters, action: str) -> Grant:
        """Return the grant behind the request. Raises Problem 401 or 403; a known token's refusal is written down."""
        try:
            return self._gate.admit(request, READ, question.tenant)
        except Problem:
            if grant := self._gate.known(request):
                await self._write(request, grant, question, action, Outcome.REFUSED)
            raise

    async def note(self, request: Request, grant: Grant, question: Filters, action: str) -> dict[str, str]:
        """Write down who is about to be answered; return the headers that tell by which id. Raises Problem 400."""
        asker = await self._write(request, grant, question, action, Outcome.GRANTED)
        return {REQUEST_ID: asker.request_id}

    async def _write(self, request: Request, grant: Grant, question: Filters, action: str, outcome: Outcome) -> Asker:
        asker = asker_of(request, grant)
        tenants = tenants_of(grant, question.tenant)
        await note_question(
            self._log,
            asker=asker,
            action=action,
            # What a reader calls a tenant need not be one.
            tenants=tenants and [redact_phones(tenant) for tenant in tenants],
            phones=question.phones(),
            clock=self._clock,
            outcome=outcome,
        )
        return asker
