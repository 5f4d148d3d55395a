"""Records as parts of a request: a field that nobody knows is refused there, where topics leave it out."""

from copy import copy
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from fareline_contracts.fields import Record


class Document(Record):
    """Base of what fleets send: unlike other records it refuses unknown fields, of its own level only."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class NoUnknownFields:
    """Annotates a field whose type is a record: unknown fields are refused at any depth, and the record comes out."""

    def __get_pydantic_core_schema__(self, record: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how the strict twin is checked and then made the record itself."""

        def plain(given: BaseModel) -> BaseModel:
            return record.model_validate(given.model_dump(exclude_unset=True))

        return core_schema.no_info_after_validator_function(plain, handler.generate_schema(_strict(record)))


def _strict(record: type[BaseModel]) -> type[BaseModel]:
    """Return a twin of `record`, and of each record that is a field's type in it, without room for unknown fields."""
    parts: dict[str, Any] = {
        name: (_strict(field.annotation), copy(field))
        for name, field in record.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    name = f"{record.__name__}Document"
    return create_model(name, __base__=record, __doc__=record.__doc__, __cls_kwargs__={"extra": "forbid"}, **parts)
