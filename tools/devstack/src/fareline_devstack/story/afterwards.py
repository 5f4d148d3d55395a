"""Last chapter: orders come to their end, and so does the right to call."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from time import perf_counter

from fareline_contracts.orders import OrderStatus
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import ANNA, BORIS, DARIA, IGOR, SERGEI, TIMUR
from fareline_devstack.story.recording import row_of
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.routes import ask, operator
from fareline_devstack.story.scene import Exchange, Scene, Via
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Step

_LOGGED_WITHIN_S = 30.0


class Afterwards:
    """Order o-1001 completes; o-1002 did so twenty minutes ago; o-1003 is cancelled; the call log is read."""

    title = "The end of an order"
    about = "A ride is over, a bag is forgotten: the client may call for 24 hours, the driver for 15 minutes."

    def __init__(self, stage: Stage, ride: Ride) -> None:
        self._stage = stage
        self._ride = ride
        self._earlier = Ride(TaxiOrder("demo", "o-1002", BORIS))
        self._cancelled = Ride(TaxiOrder("demo", "o-1003", DARIA))

    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
        return (
            Step("The order completes: for a while both still reach each other", self._completes),
            Step("Twenty minutes after the end only the client gets through", self._windows_close),
            Step("A cancelled order connects nobody", self._cancels),
            Step("The call log knows every call of this story and why it went where it went", self._all_logged),
        )

    async def _completes(self, scene: Scene) -> None:
        await self._ride.becomes(self._stage, scene, OrderStatus.COMPLETED)
        for caller, callee in ((IGOR, ANNA), (ANNA, IGOR)):
            call = self._stage.zadarma.call(caller.phone, self._ride.number(scene))
            await self._ride.connects(self._stage, scene, call, caller=caller, callee=callee)

    async def _windows_close(self, scene: Scene) -> None:
        ride = self._earlier
        await ride.becomes(self._stage, scene, OrderStatus.ACCEPTED, driver=SERGEI, ago=timedelta(minutes=50))
        number = ride.number(scene)
        await ride.becomes(self._stage, scene, OrderStatus.COMPLETED, ago=timedelta(minutes=20))
        await self._stage.rings_by_now(
            scene,
            partial(self._stage.zadarma.call, SERGEI.phone, number),
            SERGEI,
            after=ride.last_event(scene),
            expected=operator(),
            reason="window_closed",
        )
        call = self._stage.zadarma.call(BORIS.phone, number)
        await ride.connects(self._stage, scene, call, caller=BORIS, callee=SERGEI)

    async def _cancels(self, scene: Scene) -> None:
        ride = self._cancelled
        await ride.becomes(self._stage, scene, OrderStatus.ACCEPTED, driver=TIMUR)
        number = ride.number(scene)
        await ride.becomes(self._stage, scene, OrderStatus.CANCELLED)
        drivers = await self._stage.rings_by_now(
            scene,
            partial(self._stage.zadarma.call, TIMUR.phone, number),
            TIMUR,
            after=ride.last_event(scene),
            expected=ask(),
            reason="unknown_caller",
        )
        await self._stage.types(scene, drivers, TIMUR, digits="", expected=operator(), reason="unknown_caller")
        clients = self._stage.zadarma.call(DARIA.phone, number)
        await self._stage.rings(scene, clients, DARIA, expected=ask(), reason="unknown_caller")
        await self._stage.types(scene, clients, DARIA, digits="", expected=operator(), reason="unknown_caller")

    async def _all_logged(self, scene: Scene) -> None:
        began, made = perf_counter(), {call.pbx_call_id for call in self._stage.placed}
        rows = await self._stage.call_log.wait_for(
            self._stage.opened_at,
            what="every call of the story",
            holds=lambda rows: made <= {row["pbx_call_id"] for row in rows},
            within_s=_LOGGED_WITHIN_S,
        )
        took = timedelta(seconds=perf_counter() - began)
        scene.note(Exchange(Via.LOG, "all calls since the story began", f"{len(rows)} calls", took))
        for call in self._stage.placed:
            row = row_of(rows, call.pbx_call_id)
            scene.expect(f"the logged reason of the call of {call.who}", got=row.get("reason"), expected=call.reason)
            if call.order_id:
                scene.expect(f"the order of the call of {call.who}", got=row.get("order_id"), expected=call.order_id)
