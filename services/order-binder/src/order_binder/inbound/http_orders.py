"""Routes about orders: the door for snapshots, what the apps show, what call-router asks."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response

from fareline_chassis.auth import TokenBook
from fareline_chassis.parameters import known_parameters
from fareline_chassis.problems import FieldError, Problem
from fareline_contracts.bindings import Direction, Directions
from fareline_contracts.fields import EARLIEST, OrderId, Tenant
from fareline_contracts.lookup import LookupAnswer, LookupRequest
from fareline_contracts.orders import OrderSnapshot
from order_binder.domain.orders import Order, OrderKey, Terms
from order_binder.inbound.http_examples import SNAPSHOT
from order_binder.inbound.http_models import (
    AcceptedSnapshots,
    BindingAnswer,
    PerParty,
    Snapshots,
    Wait,
)
from order_binder.ports.door import SubmittedSnapshot
from order_binder.records import binding_record, number_record, tenant_record
from order_binder.usecases.lookup_bindings import LookupBindings
from order_binder.usecases.show_binding import ShowBinding, ShownBinding
from order_binder.usecases.submit_order import SubmitOrders

ORDERS_WRITE = "orders:write"
BINDINGS_READ = "bindings:read"
BINDINGS_LOOKUP = "bindings:lookup"

_ETAG = re.compile(r'"([0-9]{1,19})"')
TenantPath = Annotated[Tenant, Path(description="The tenant.", examples=["demo"])]
OrderPath = Annotated[OrderId, Path(description="The order's id at the platform.", examples=["o-1001"])]
Traceparent = Annotated[str | None, Header(description="W3C trace that the order's calls will belong to.")]


@dataclass(frozen=True, slots=True)
class OrderRoutes:
    """The routes about orders, each one use case. Once this process is `stopping` no app is kept waiting."""

    tokens: TokenBook
    submit: SubmitOrders
    show: ShowBinding
    lookup: LookupBindings
    stopping: Callable[[], bool]

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["orders"], dependencies=[Depends(known_parameters)])
        router.put("/orders/{order_id}", status_code=202, summary="Hand over the snapshot of an order")(self.put_order)
        router.post("/orders", status_code=202, summary="Hand over up to 500 snapshots, all or nothing")(
            self.post_orders
        )
        router.get(
            "/orders/{order_id}/binding",
            summary="Show an order's binding",
            response_model=BindingAnswer,
            responses={304: {"description": "The revision is one that If-None-Match names."}},
        )(self.get_binding)
        router.post("/bindings/lookup", summary="Look up bindings for one call")(self.post_lookup)
        return router

    async def put_order(
        self,
        request: Request,
        tenant: TenantPath,
        order_id: OrderPath,
        snapshot: Annotated[OrderSnapshot, Body(examples=[SNAPSHOT])],
        traceparent: Traceparent = None,
    ) -> AcceptedSnapshots:
        """Take one snapshot. Repeating it does no harm; 202 means that Kafka has it."""
        self.tokens.require(request, tenant, ORDERS_WRITE)
        _require_same(snapshot, tenant, "#")
        if snapshot.order_id != order_id:
            raise invalid_field("#/order_id", "is not the order id of the path")
        return await self._submit(tenant, [snapshot], traceparent)

    async def post_orders(
        self,
        request: Request,
        tenant: TenantPath,
        snapshots: Annotated[Snapshots, Body(examples=[[SNAPSHOT]])],
        traceparent: Traceparent = None,
    ) -> AcceptedSnapshots:
        """Take snapshots; one that is not valid refuses them all."""
        self.tokens.require(request, tenant, ORDERS_WRITE)
        for place, snapshot in enumerate(snapshots):
            _require_same(snapshot, tenant, f"#/{place}")
        return await self._submit(tenant, snapshots, traceparent)

    async def get_binding(
        self,
        request: Request,
        response: Response,
        tenant: TenantPath,
        order_id: OrderPath,
        *,
        min_version: Annotated[int | None, Query(ge=0, description="Wait for this version of the order.")] = None,
        wait: Annotated[Wait, Query(description="For how long, such as `2s`; at most 30 s.")] = timedelta(),
        if_none_match: Annotated[str | None, Header(description="The ETag of an earlier answer.")] = None,
    ) -> BindingAnswer | Response:
        """Show what the apps of driver and client need. `reached` is false when the wait was over too early.

        With `wait` the answer comes as soon as there is news: the version asked for, and a revision that If-None-Match
        does not name. 304 says that there was none.
        """
        self.tokens.require(request, tenant, BINDINGS_READ)
        known = _revisions(if_none_match)

        async def over() -> bool:
            return self.stopping() or await request.is_disconnected()

        key = OrderKey(tenant, order_id)
        shown = await self.show(key, min_version=min_version, wait=wait, known=known, over=over)
        if shown.order is not None:
            etag = f'"{shown.order.revision}"'
            if shown.reached and shown.order.revision in known:
                return Response(status_code=304, headers={"ETag": etag})
            response.headers["ETag"] = etag
        return _binding_answer(tenant, order_id, shown)

    async def post_lookup(
        self,
        request: Request,
        tenant: TenantPath,
        question: Annotated[LookupRequest, Body(examples=[{"number": "+74950000101", "phone": "+79031112233"}])],
    ) -> LookupAnswer:
        """Return the bindings, not ended, that the phone or the code belongs to, with the number and the tenant."""
        self.tokens.require(request, tenant, BINDINGS_LOOKUP)
        if question.number is None and question.phone is None and question.code is None:
            raise invalid_field("#", "names neither number nor phone nor code")
        found = await self.lookup(tenant, number=question.number, phone=question.phone, code=question.code)
        records = [binding_record(order, found.found.as_of) for order in found.found.orders]
        return LookupAnswer(
            bindings=tuple(record for record in records if record is not None),
            as_of=found.found.as_of,
            input_as_of=found.found.input_as_of or EARLIEST,
            number=None if found.number is None else number_record(found.number),
            tenant=None if found.tenant is None else tenant_record(found.tenant),
        )

    async def _submit(
        self, tenant: str, snapshots: Sequence[OrderSnapshot], traceparent: str | None
    ) -> AcceptedSnapshots:
        await self.submit(
            tenant,
            [
                SubmittedSnapshot(OrderKey(tenant, each.order_id), each.version, each.to_json(), traceparent)
                for each in snapshots
            ],
        )
        return AcceptedSnapshots(accepted=len(snapshots))


def _revisions(if_none_match: str | None) -> set[int]:
    """Return the revisions that an If-None-Match header names; whatever else stands there names none."""
    return {int(found) for found in _ETAG.findall(if_none_match or "")}


def _require_same(snapshot: OrderSnapshot, tenant: str, pointer: str) -> None:
    if snapshot.tenant != tenant:
        raise invalid_field(f"{pointer}/tenant", "is not the tenant of the path")


def invalid_field(pointer: str, detail: str) -> Problem:
    """Return the 400 for one field that the schema alone cannot judge."""
    error = FieldError(pointer=pointer, detail=detail)
    return Problem(400, "The request is not valid", detail="See errors for the fields.", errors=[error])


def _binding_answer(tenant: str, order_id: str, shown: ShownBinding) -> BindingAnswer:
    order = shown.order
    answer = BindingAnswer(
        tenant=tenant,
        order_id=order_id,
        state=shown.state,
        reason=order.unroutable if order else None,
        order_version=order.version if order else None,
        revision=order.revision if order else None,
        reached=shown.reached,
        as_of=shown.as_of.astimezone(UTC),
    )
    if order is None or order.terms is None or order.allocation is None or order.unroutable is not None:
        return answer
    return answer.model_copy(update=_callable_part(order, order.terms, shown.as_of))


def _callable_part(order: Order, terms: Terms, now: datetime) -> dict[str, object]:
    allocation = order.allocation
    if allocation is None or terms.directions.ended(now):
        return {}
    link = f"tel:{allocation.number}"
    both = terms.directions
    return {
        "number": allocation.number,
        "codes": PerParty(driver=allocation.driver_code, client=allocation.client_code),
        "dial": PerParty(driver=link, client=link),
        "directions": Directions(
            driver_to_client=Direction(
                opens_at=both.driver_to_client.opens_at,
                closes_at=both.driver_to_client.closes_at,
                allowed=both.driver_to_client.allowed,
            ),
            client_to_driver=Direction(
                opens_at=both.client_to_driver.opens_at,
                closes_at=both.client_to_driver.closes_at,
                allowed=both.client_to_driver.allowed,
            ),
        ),
    }
