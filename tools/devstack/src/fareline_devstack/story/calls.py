"""What the two PBXs of the story have in common: a call, and an answered question."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fareline_devstack.story.routes import Route
from fareline_devstack.story.scene import Via


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one question of a PBX, and how long the PBX waited for it."""

    route: Route
    took: timedelta


class PbxCall(Protocol):
    """One call as its PBX sees it. Every method raises PbxRefused when call-router does not answer 200."""

    @property
    def via(self) -> Via:
        """Return which PBX this is."""

    @property
    def account(self) -> str:
        """Return the account's name."""

    @property
    def pbx_call_id(self) -> str:
        """Return the PBX's own id of the call."""

    @property
    def caller(self) -> str:
        """Return the caller's phone in E.164."""

    @property
    def number(self) -> str:
        """Return the dialled number in E.164."""

    async def start(self) -> Answered:
        """Say that the call has arrived and return what to do with it."""

    async def typed(self, digits: str) -> Answered:
        """Say what the caller typed, nothing if empty, and return what to do next."""


class PbxRefused(Exception):
    """call-router answered a webhook with something else than 200; `status` is what."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        super().__init__(f"the webhook was answered with {status}: {detail}")
