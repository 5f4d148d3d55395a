"""An order of the story together with what Fareline has made of it so far."""

from dataclasses import dataclass
from datetime import timedelta

from fareline_contracts.orders import OrderStatus
from fareline_devstack.story.binder import ShownBinding
from fareline_devstack.story.calls import PbxCall
from fareline_devstack.story.orders import NOW, TaxiOrder
from fareline_devstack.story.people import Person
from fareline_devstack.story.routes import dial
from fareline_devstack.story.scene import Scene, StoryFailed
from fareline_devstack.story.stage import Announced, Stage


@dataclass(slots=True)
class Ride:
    """One order; `announced` is its last event and the binding that came of it, None before the first."""

    order: TaxiOrder
    announced: Announced | None = None

    async def becomes(
        self, stage: Stage, scene: Scene, status: OrderStatus, *, driver: Person | None = None, ago: timedelta = NOW
    ) -> ShownBinding:
        """Publish the order's change and return its binding."""
        self.announced = await stage.announce(scene, self.order, self.order.become(status, driver=driver, ago=ago))
        return self.announced.binding

    def last_event(self, scene: Scene) -> Announced:
        """Return the last event. Raises StoryFailed before the first."""
        if self.announced is None:
            raise StoryFailed(step=scene.step, what=f"order {self.order.order_id}", got="no event", expected="an event")
        return self.announced

    def number(self, scene: Scene) -> str:
        """Return the number lent to the order. Raises StoryFailed when there is none."""
        binding = self.last_event(scene).binding
        if binding.number is None:
            raise StoryFailed(step=scene.step, what="the binding", got=binding, expected="a binding with a number")
        return binding.number

    async def connects(self, stage: Stage, scene: Scene, call: PbxCall, *, caller: Person, callee: Person) -> None:
        """Let a call on the order's own number arrive and check that it goes to the other party."""
        await stage.rings(
            scene,
            call,
            caller,
            expected=dial(callee.phone, shows=self.number(scene)),
            reason="pair",
            order_id=self.order.order_id,
        )
