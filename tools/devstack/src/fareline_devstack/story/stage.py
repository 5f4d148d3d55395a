"""What every chapter plays on: the platform, the PBXs, the readers, and the list of calls that were made."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter

from fareline_contracts.orders import OrderSnapshot
from fareline_devstack.story.binder import BindingApi, ShownBinding
from fareline_devstack.story.call_log import CallLog
from fareline_devstack.story.calls import Answered, PbxCall
from fareline_devstack.story.fake_zadarma import FakeZadarma
from fareline_devstack.story.generic import GenericPbx
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import Person
from fareline_devstack.story.phones import readable
from fareline_devstack.story.routes import Route
from fareline_devstack.story.scene import Exchange, Freshness, Scene, Via
from fareline_devstack.story.taxi_platform import Published, TaxiPlatform
from fareline_devstack.story.zadarma import Zadarma

_RING_AGAIN_S = 0.05
_GIVE_UP_S = 30.0


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call of the story, the reason its last answer must have, and its order if one was found."""

    account: str
    pbx_call_id: str
    who: str
    number: str
    reason: str
    order_id: str | None


@dataclass(frozen=True, slots=True)
class Announced:
    """An order event that Kafka has, and the binding that came of it."""

    order_id: str
    published: Published
    binding: ShownBinding


@dataclass(slots=True)
class Stage:
    """Everything a step may touch. `placed` grows with every call whose answer was as told.

    `opened_at` is a whole second, as the times of Zadarma are: no call of the story began before it.
    """

    platform: TaxiPlatform
    binder: BindingApi
    zadarma: Zadarma
    own_pbx: GenericPbx
    call_log: CallLog
    recordings: FakeZadarma
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    placed: list[PlacedCall] = field(default_factory=list)

    async def announce(self, scene: Scene, order: TaxiOrder, snapshot: OrderSnapshot) -> Announced:
        """Publish a snapshot and return once the binding API knows that version."""
        published = await self.platform.publish(snapshot)
        ack = timedelta(seconds=published.acknowledged_at - published.sent_at)
        scene.note(Exchange(Via.KAFKA, order.words(), "acknowledged by Kafka", ack))
        binding = await self.binder.binding(order.tenant, order.order_id, min_version=snapshot.version)
        took = timedelta(seconds=perf_counter() - published.sent_at)
        scene.note(Exchange(Via.BINDING, f"{order.order_id}, version {snapshot.version}", binding.words(), took))
        return Announced(order.order_id, published, binding)

    async def rings(
        self, scene: Scene, call: PbxCall, who: Person, *, expected: Route, reason: str, order_id: str | None = None
    ) -> Answered:
        """Let a call arrive and check where it is sent; `reason` is checked in the call log at the end."""
        answered = await call.start()
        self._heard(scene, call, f"{who} calls {readable(call.number)}", answered)
        scene.expect(f"the call of {who.name}", got=answered.route, expected=expected)
        self._place(call, who, reason=reason, order_id=order_id)
        return answered

    async def types(
        self,
        scene: Scene,
        call: PbxCall,
        who: Person,
        *,
        digits: str,
        expected: Route,
        reason: str,
        order_id: str | None = None,
    ) -> Answered:
        """Let the caller type digits, none if empty, and check where he is sent."""
        answered = await call.typed(digits)
        said = f"{who.name} types {digits}" if digits else f"{who.name} types nothing"
        self._heard(scene, call, said, answered)
        scene.expect(said, got=answered.route, expected=expected)
        self._place(call, who, reason=reason, order_id=order_id)
        return answered

    async def rings_by_now(
        self,
        scene: Scene,
        make: Callable[[], PbxCall],
        who: Person,
        *,
        expected: Route,
        reason: str,
        after: Announced | None = None,
        order_id: str | None = None,
    ) -> PbxCall:
        """Call again and again until the news of an order has arrived; with `after`, note how long that took."""
        began, attempts = perf_counter(), 0
        while True:
            call, attempts = make(), attempts + 1
            answered = await call.start()
            now = perf_counter()
            if answered.route == expected or now - began > _GIVE_UP_S:
                break
            await asyncio.sleep(_RING_AGAIN_S)
        again = f", {attempts} times until the news is there" if attempts > 1 else ""
        self._heard(scene, call, f"{who} calls {readable(call.number)}{again}", answered)
        scene.expect(f"the call of {who.name}", got=answered.route, expected=expected)
        if after:
            sent = after.published.sent_at
            scene.fresh.append(
                Freshness(after.order_id, timedelta(seconds=began - sent), timedelta(seconds=now - sent))
            )
        self._place(call, who, reason=reason, order_id=order_id)
        return call

    def _heard(self, scene: Scene, call: PbxCall, asked: str, answered: Answered) -> None:
        scene.note(Exchange(call.via, asked, answered.route.words(), answered.took, routing=True))

    def _place(self, call: PbxCall, who: Person, *, reason: str, order_id: str | None) -> None:
        self.placed = [one for one in self.placed if one.pbx_call_id != call.pbx_call_id]
        self.placed.append(PlacedCall(call.account, call.pbx_call_id, who.name, call.number, reason, order_id))
