"""What a batch writes, as JSON: one document for each table, read by PostgreSQL as rows.

One parameter instead of an array a column: asyncpg looks at each element of an array in Python, which cost more than
deciding what to write.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from fareline_chassis.kafka.partitioner import partition_for
from fareline_contracts.bindings import binding_key
from order_binder.domain.codes import CodeHold
from order_binder.domain.orders import OrderKey
from order_binder.domain.slots import Slot
from order_binder.outbound.documents import HoldDocument, OrderDocument, holds_document, order_document
from order_binder.ports.bindings import Change
from order_binder.ports.progress import InputProgress

STUB_KEPT = timedelta(days=30)
# Modulo this, what is left of a hash is the hash itself: 31 bits.
HASHES = 0x80000000


class _OrderRow(msgspec.Struct, frozen=True, gc=False):
    tenant: str
    order_id: str
    version: int
    status: str
    state: str
    revision: int
    publish: bool
    follows: int | None
    key_hash: int | None
    number: str | None
    phones: tuple[str, ...]
    document: OrderDocument
    traceparent: str | None
    caused_at: datetime
    updated_at: datetime | None
    next_change_at: datetime | None
    purge_after: datetime | None


class _SlotRow(msgspec.Struct, frozen=True, gc=False):
    number: str
    phone: str
    peer: str
    holds: Mapping[str, HoldDocument]
    kept_until: datetime
    follows: int


def order_rows(changes: Sequence[Change], read: Mapping[OrderKey, int]) -> str:
    """Return the rows of orders, each with the revision it follows; those of which none was `read` are new."""
    return _json([_order_row(change, read.get(change.order.key)) for change in changes])


def slot_rows(slots: Sequence[Slot]) -> str:
    """Return the rows of slots, each with the stamp it follows."""
    return _json(
        [
            _SlotRow(slot.number, slot.phone, slot.peer, holds_document(slot), slot.kept_until, slot.stamp)
            for slot in slots
        ]
    )


def code_rows(codes: Sequence[CodeHold]) -> str:
    """Return the rows of codes."""
    return _json(codes)


def progress_rows(progress: Sequence[InputProgress]) -> str:
    """Return the rows of the input's progress."""
    return _json(progress)


def _order_row(change: Change, follows: int | None) -> _OrderRow:
    order, key = change.order, change.order.key
    bound = order.terms is not None and order.allocation is not None
    return _OrderRow(
        tenant=key.tenant,
        order_id=key.order_id,
        version=order.version,
        status=order.status,
        state=change.state,
        revision=order.revision,
        publish=change.publish,
        follows=follows,
        key_hash=None if follows is not None else partition_for(binding_key(key.tenant, key.order_id), HASHES),
        number=order.allocation.number if bound and order.allocation else None,
        phones=tuple(dict.fromkeys(order.terms.phones)) if bound and order.terms else (),
        document=order_document(order),
        traceparent=order.traceparent,
        caused_at=order.caused_at,
        updated_at=order.updated_at,
        next_change_at=change.next_change_at,
        purge_after=None if bound or order.updated_at is None else order.updated_at + STUB_KEPT,
    )


def _json(rows: Sequence[object]) -> str:
    return msgspec.json.encode(rows).decode()
