"""Routes about tenants and their numbers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from fareline_chassis.auth import TokenBook
from fareline_chassis.parameters import known_parameters
from fareline_chassis.privacy import mask_phone
from fareline_contracts.fields import E164
from fareline_contracts.numbers import NumberRecord
from fareline_contracts.tenants import TenantRecord
from order_binder.domain.numbers import Leaving, NumberRole, NumberState
from order_binder.domain.values import replace
from order_binder.inbound.http_models import NumberDocument, Numbers, TenantDocument
from order_binder.inbound.http_orders import TenantPath
from order_binder.ports.registry import NumberEntry, Registry, TenantEntry
from order_binder.records import number_record, tenant_record
from order_binder.usecases.put_number import NumberUnknown, PutNumber, TenantUnknown, WithdrawNumber
from order_binder.usecases.put_tenant import PutTenant

NUMBERS_READ = "numbers:read"
NUMBERS_WRITE = "numbers:write"
TENANTS_READ = "tenants:read"
TENANTS_WRITE = "tenants:write"
STAFF_READ = "tenants:read_numbers"
_LONGEST_EXTENSION = 6

NumberPath = Annotated[E164, Path(description="A proxy number, E.164 with its plus sign.", examples=["+74950000101"])]


@dataclass(frozen=True, slots=True)
class RegistryRoutes:
    """The routes about tenants and numbers. PUT takes the whole document and creates or replaces."""

    tokens: TokenBook
    put: PutNumber
    withdraw: WithdrawNumber
    put_whole_tenant: PutTenant
    registry: Registry

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["registry"], dependencies=[Depends(known_parameters)])
        router.put("/numbers/{e164}", summary="Create or replace a number")(self.put_number)
        router.get("/numbers/{e164}", summary="Show a number")(self.get_number)
        router.delete(
            "/numbers/{e164}",
            status_code=204,
            summary="Withdraw a number",
            responses={
                202: {"model": NumberRecord, "description": "Bindings use it still; it goes when they have ended."}
            },
        )(self.delete_number)
        router.get("/numbers", summary="List the numbers")(self.get_numbers)
        router.put("", summary="Create or replace the tenant")(self.put_tenant)
        router.get("", summary="Show the tenant")(self.get_tenant)
        return router

    async def put_number(
        self, request: Request, tenant: TenantPath, e164: NumberPath, document: NumberDocument
    ) -> NumberRecord:
        """Write a number. 409 for one of another tenant, or one that is a party's phone in a binding not ended."""
        self.tokens.require(request, tenant, NUMBERS_WRITE)
        entry = NumberEntry(
            e164=e164,
            tenant=tenant,
            role=NumberRole(document.role),
            state=NumberState(document.state),
            asks_code=document.asks_code,
            city=document.city,
            default_route=document.default_route,
        )
        return number_record(await self.put(entry))

    async def get_number(self, request: Request, tenant: TenantPath, e164: NumberPath) -> NumberRecord:
        """Return a number of the tenant."""
        self.tokens.require(request, tenant, NUMBERS_READ)
        entry = await self.registry.number(tenant, e164)
        if entry is None:
            raise NumberUnknown
        return number_record(entry)

    async def delete_number(
        self,
        request: Request,
        tenant: TenantPath,
        e164: NumberPath,
        bindings: Annotated[
            Leaving | None,
            Query(
                description="`move`: bindings get other numbers at once. `drain`: they keep it until they have ended."
            ),
        ] = None,
    ) -> Response:
        """Take a number out of the inventory.

        Where bindings use it, `bindings` must say what becomes of them; without it the answer is 409.
        """
        self.tokens.require(request, tenant, NUMBERS_WRITE)
        left = await self.withdraw(tenant, e164, bindings)
        if left is None:
            return Response(status_code=204)
        return Response(number_record(left).to_json(), status_code=202, media_type="application/json")

    async def get_numbers(self, request: Request, tenant: TenantPath) -> Numbers:
        """Return all numbers of the tenant."""
        self.tokens.require(request, tenant, NUMBERS_READ)
        return Numbers(numbers=[number_record(entry) for entry in await self.registry.numbers(tenant)])

    async def put_tenant(self, request: Request, tenant: TenantPath, document: TenantDocument) -> TenantRecord:
        """Write the tenant. Absent policy figures take their defaults."""
        self.tokens.require(request, tenant, TENANTS_WRITE)
        entry = TenantEntry(
            tenant=tenant,
            region=document.region,
            policy=document.policy.model_dump(mode="json", exclude_defaults=True),
            staff=document.staff,
        )
        return tenant_record(await self.put_whole_tenant(entry))

    async def get_tenant(self, request: Request, tenant: TenantPath) -> TenantRecord:
        """Return the tenant with its whole policy; the phones of its staff are masked without that scope."""
        grant = self.tokens.require(request, tenant, TENANTS_READ)
        entry = await self.registry.tenant(tenant)
        if entry is None:
            raise TenantUnknown
        if not grant.allows(tenant, STAFF_READ):
            entry = replace(entry, staff=tuple(map(_masked, entry.staff)))
        return tenant_record(entry)


def _masked(phone_or_extension: str) -> str:
    is_phone = sum(char.isdigit() for char in phone_or_extension) > _LONGEST_EXTENSION
    return mask_phone(phone_or_extension) if is_phone else phone_or_extension
