"""Second chapter: a pool of numbers, one lent to each order, and what happens when the order moves on."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

from fareline_contracts.orders import OrderStatus
from fareline_devstack.story.people import ALEXEI, ANNA, DEMO_DESK, IGOR, Person
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.routes import ask, dial, operator
from fareline_devstack.story.scene import Exchange, Scene, Via
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Step


class Pool:
    """Tenant `demo`: order o-1001, first with one driver, then with another."""

    title = "A pool of numbers"
    about = "Fleet “demo” lends each order one of ten numbers: whoever calls it reaches the other party of that order."

    def __init__(self, stage: Stage, ride: Ride) -> None:
        self._stage = stage
        self._ride = ride

    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
        return (
            Step("A driver accepts an order and at once calls the number he was given: his client rings", self._accept),
            Step("The client calls back the number she saw and reaches the driver", self._client_calls_back),
            Step("The driver calls from another phone and types his code", self._other_phone),
            Step("The dispatch line always reaches the call centre", self._desk),
            Step("A webhook with a forged signature is refused", self._forged),
            Step("The order goes to another driver: the first one is cut off at once", self._reassign),
            Step("The new driver and the client reach each other", self._new_pair),
        )

    async def _accept(self, scene: Scene) -> None:
        await self._ride.becomes(self._stage, scene, OrderStatus.ACCEPTED, driver=ALEXEI)
        number = self._ride.number(scene)
        await self._stage.rings_by_now(
            scene,
            partial(self._stage.zadarma.call, ALEXEI.phone, number),
            ALEXEI,
            after=self._ride.last_event(scene),
            expected=dial(ANNA.phone, shows=number),
            reason="pair",
            order_id=self._ride.order.order_id,
        )

    async def _client_calls_back(self, scene: Scene) -> None:
        call = self._stage.zadarma.call(ANNA.phone, self._ride.number(scene))
        await self._ride.connects(self._stage, scene, call, caller=ANNA, callee=ALEXEI)

    async def _other_phone(self, scene: Scene) -> None:
        number, code = self._ride.number(scene), self._ride.last_event(scene).binding.driver_code
        borrowed = Person(ALEXEI.id, "driver Alexei from another phone", ALEXEI.other_phone)
        call = self._stage.own_pbx.call(borrowed.phone, number)
        await self._stage.rings(scene, call, borrowed, expected=ask(), reason="unknown_caller")
        await self._stage.types(
            scene,
            call,
            borrowed,
            digits=code or "",
            expected=dial(ANNA.phone, shows=number),
            reason="extension_unknown_caller",
            order_id=self._ride.order.order_id,
        )

    async def _desk(self, scene: Scene) -> None:
        call = self._stage.own_pbx.call(ALEXEI.phone, DEMO_DESK)
        await self._stage.rings(scene, call, ALEXEI, expected=operator(), reason="desk")

    async def _forged(self, scene: Scene) -> None:
        status, took = await self._stage.zadarma.call(ALEXEI.phone, self._ride.number(scene)).start_forged()
        answered = f"{status} {HTTPStatus(status).phrase}, no decision"
        scene.note(Exchange(Via.ZADARMA, "a call signed with another secret", answered, took))
        scene.expect("the answer to a forged webhook", got=status, expected=int(HTTPStatus.UNAUTHORIZED))

    async def _reassign(self, scene: Scene) -> None:
        old_number = self._ride.number(scene)
        await self._ride.becomes(self._stage, scene, OrderStatus.ACCEPTED, driver=IGOR)
        call = await self._stage.rings_by_now(
            scene,
            partial(self._stage.zadarma.call, ALEXEI.phone, old_number),
            ALEXEI,
            after=self._ride.last_event(scene),
            expected=ask(),
            reason="unknown_caller",
        )
        await self._stage.types(scene, call, ALEXEI, digits="", expected=operator(), reason="unknown_caller")

    async def _new_pair(self, scene: Scene) -> None:
        for caller, callee in ((IGOR, ANNA), (ANNA, IGOR)):
            call = self._stage.zadarma.call(caller.phone, self._ride.number(scene))
            await self._ride.connects(self._stage, scene, call, caller=caller, callee=callee)
