"""Tenants in: of each policy, how long its recordings and calls are kept."""

from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from fareline_chassis.kafka.records import InRecord
from fareline_chassis.logs import get_logger
from fareline_contracts.tenants import TenantRecord
from recording_ingest.domain.keeping import Retention

GROUP = "recording-ingest-tenants"
SavePolicy = Callable[[str, int, Retention], Awaitable[None]]
log = get_logger(__name__)


class TenantsIn:
    """Handles batches of `fareline.tenants.v1`. A tenant that went away keeps its last policy."""

    def __init__(self, save: SavePolicy) -> None:
        self._save = save

    async def __call__(self, batch: Sequence[InRecord]) -> None:
        """Keep the newest policy of each tenant. Raises what means "not now": the same batch then comes again."""
        for record in batch:
            if not record.value:
                continue
            try:
                tenant = TenantRecord.model_validate_json(record.value)
            except ValidationError:
                log.warning("tenant passed over", partition=record.partition, offset=record.offset)
                continue
            policy = tenant.policy
            retention = Retention(policy.recording_retention_days, policy.call_retention_days)
            await self._save(tenant.tenant, tenant.revision, retention)
