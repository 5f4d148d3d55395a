"""First chapter: one number for the whole fleet, calls told apart by who is calling."""

import asyncio
from collections.abc import Sequence
from functools import partial

from fareline_contracts.orders import OrderStatus
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import NINA, OLEG, PAVEL, SOLO_NUMBER, STRANGER, VERA, Person
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.routes import ask, dial, operator
from fareline_devstack.story.scene import Scene
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Step


class OneNumber:
    """Tenant `solo`: two drivers, two clients, a stranger, and a single number."""

    title = "One number"
    about = "Fleet “solo” owns a single number, and everybody dials it: Fareline knows who calls, and whom he means."

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._first = Ride(TaxiOrder("solo", "o-2001", VERA))
        self._second = Ride(TaxiOrder("solo", "o-2002", NINA))

    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
        return (
            Step("Two orders are placed; without a driver nobody can be called", self._placed),
            Step("Two drivers accept; both orders share the number", self._accepted),
            Step("Both drivers call it at the same time, each reaches his own client", self._drivers_call),
            Step("Both clients call it back, each reaches her own driver", self._clients_call),
            Step("A stranger hears the greeting, types nothing, and reaches the operator", self._stranger_calls),
        )

    async def _placed(self, scene: Scene) -> None:
        for ride in (self._first, self._second):
            binding = await ride.becomes(self._stage, scene, OrderStatus.SEARCHING)
            scene.expect(f"the binding of {ride.order.order_id}", got=binding.state, expected="none")

    async def _accepted(self, scene: Scene) -> None:
        for ride, driver in ((self._first, OLEG), (self._second, PAVEL)):
            binding = await ride.becomes(self._stage, scene, OrderStatus.ACCEPTED, driver=driver)
            scene.expect(f"the binding of {ride.order.order_id}", got=binding.state, expected="active")
            scene.expect(f"the number of {ride.order.order_id}", got=binding.number, expected=SOLO_NUMBER)

    async def _drivers_call(self, scene: Scene) -> None:
        await asyncio.gather(
            self._reaches(scene, self._first, OLEG, VERA), self._reaches(scene, self._second, PAVEL, NINA)
        )

    async def _clients_call(self, scene: Scene) -> None:
        await asyncio.gather(
            self._reaches(scene, self._first, VERA, OLEG), self._reaches(scene, self._second, NINA, PAVEL)
        )

    async def _reaches(self, scene: Scene, ride: Ride, caller: Person, callee: Person) -> None:
        await self._stage.rings_by_now(
            scene,
            partial(self._stage.zadarma.call, caller.phone, SOLO_NUMBER),
            caller,
            expected=dial(callee.phone, shows=SOLO_NUMBER),
            reason="single_order",
            order_id=ride.order.order_id,
        )

    async def _stranger_calls(self, scene: Scene) -> None:
        call = self._stage.zadarma.call(STRANGER.phone, SOLO_NUMBER)
        await self._stage.rings(scene, call, STRANGER, expected=ask(), reason="unknown_caller")
        await self._stage.types(scene, call, STRANGER, digits="", expected=operator(), reason="unknown_caller")
