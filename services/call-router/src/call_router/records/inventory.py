"""Number and tenant records, from JSON to the domain's values. They are few: the contracts' own models read them."""

from datetime import timedelta

from pydantic import ValidationError

from call_router.domain.inventory import NumberRole, ProxyNumber, Tenant
from call_router.domain.phones import normalise
from call_router.domain.policy import Limit, OnUnanswered, Policy
from call_router.records.bindings import Unreadable
from fareline_contracts import numbers, tenants


def read_number(value: bytes) -> ProxyNumber:
    """Return the number in the value of a record; raises Unreadable."""
    try:
        return number_of(numbers.NumberRecord.model_validate_json(value))
    except ValidationError as error:
        raise Unreadable("not a number record") from error


def read_tenant(value: bytes) -> Tenant:
    """Return the tenant in the value of a record; raises Unreadable."""
    try:
        return tenant_of(tenants.TenantRecord.model_validate_json(value))
    except ValidationError as error:
        raise Unreadable("not a tenant record") from error


def number_of(record: numbers.NumberRecord) -> ProxyNumber:
    """Translate a number record."""
    return ProxyNumber(
        e164=record.e164,
        tenant=record.tenant,
        role=NumberRole(record.role.value),
        asks_code=record.asks_code,
        default_route=record.default_route,
        revision=record.revision,
    )


def tenant_of(record: tenants.TenantRecord) -> Tenant:
    """Translate a tenant record; staff phones become E.164, extensions stay as they are."""
    staff = frozenset(normalise(entry, record.region) or entry.strip() for entry in record.staff)
    return Tenant(record.tenant, record.region, _policy(record.policy), staff, record.revision)


def _policy(policy: tenants.Policy) -> Policy:
    limits = policy.limits
    return Policy(
        code_digits=policy.code_digits,
        code_from_unknown_phone=policy.code_from_unknown_phone is tenants.UnknownPhone.ALLOW,
        follow_caller=policy.follow_caller,
        order_rank=tuple(status.value for status in policy.order_rank),
        unanswered_by_client=OnUnanswered(policy.on_unanswered.driver_to_client.value),
        unanswered_by_driver=OnUnanswered(policy.on_unanswered.client_to_driver.value),
        callback_within=timedelta(minutes=policy.callback_within),
        callback_after_end_within=timedelta(minutes=policy.callback_after_end_within),
        return_window=timedelta(minutes=policy.windows.return_window),
        ask_timeout_main_s=policy.ask_timeout_main_s,
        ask_timeout_pool_s=policy.ask_timeout_pool_s,
        recording=policy.calls.recording.value,
        default_route=policy.default_route,
        code_attempts_per_call=limits.code_attempts_per_call,
        dials_active=_limit(limits.dials_active),
        dials_grace_short=_limit(limits.dials_grace_short),
        dials_grace_long=_limit(limits.dials_grace_long),
        wrong_codes_known=_limit(limits.wrong_codes_known),
        wrong_codes_unknown=_limit(limits.wrong_codes_unknown),
        wrong_codes_number=_limit(limits.wrong_codes_number),
    )


def _limit(limit: tenants.Limit) -> Limit:
    return Limit(limit.count, timedelta(minutes=limit.minutes))
