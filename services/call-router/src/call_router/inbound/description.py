"""What OpenAPI says of the router: the API with its problems, and the webhooks, which no framework describes."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from fareline_chassis.problems import describe_problems, described
from fareline_contracts import pbx_generic

_REF = "#/components/schemas/{model}"
_REFUSALS = {
    "400": ("The body is not valid; `errors` names the fields.", "Bad Request"),
    "401": ("No known bearer token.", "Unauthorized"),
    "403": ("The token does not grant this here.", "Forbidden"),
    "404": ("There is no such account.", "Not Found"),
}
_STARTED = {
    "v": 1,
    "event": "call.started",
    "call_id": "c-1",
    "from": "+79031112233",
    "to": "+74950000101",
    "at": "2026-11-24T10:00:00Z",
}
_DIGITS = _STARTED | {"event": "call.digits", "digits": "482913", "context": "1.0.0.ambiguous.-"}
_DIALED = _STARTED | {"event": "call.dialed", "context": "1.1.0.pair.d", "result": "no_answer", "ring_s": 30}
_ENDED = _STARTED | {"event": "call.ended", "disposition": "answered", "ended_at": "2026-11-24T10:02:00Z"}
_ANSWER = {
    "v": 1,
    "call_id": "c-1",
    "decision_id": "0b0e7c1e-6f5e-5c0b-9a39-3d5f7a0f6b11-1",
    "reason": "pair",
    "actions": [
        {
            "do": "dial",
            "targets": ["+79261234567"],
            "caller_id": "+74950000101",
            "ring_timeout_s": 30,
            "max_duration_s": 1200,
            "record": "dual",
            "announce": {"caller": None, "callee": "recording"},
            "context": "1.1.0.pair.d",
        }
    ],
}
_WEBHOOK_RESPONSES = {
    "400": {"description": "A body that the contract does not know; the text names its fields. Nothing was decided."},
    "401": {"description": "The signature is missing or wrong, or its time is more than five minutes off."},
    "404": {"description": "There is no such account."},
    "413": {"description": "The body is larger than 64 KiB."},
    "429": {"description": "Too many wrong signatures from this address."},
    "503": {"description": "A report that cannot be written down now, or a flood of calls: use your own fallback."},
}
Json = dict[str, Any]


class DescribedApi(FastAPI):
    """An application whose description tells of problems, bearer tokens and webhooks too."""

    def openapi(self) -> Json:
        """Return the description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _described(get_openapi(title=self.title, version=self.version, routes=self.routes))
        return self.openapi_schema


def _described(document: Json) -> Json:
    schemas = describe_problems(document)
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "webhook": {"type": "apiKey", "in": "header", "name": "webhook-signature"},
        "zadarma": {"type": "apiKey", "in": "header", "name": "Signature"},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            _describe(operation)
    document["paths"]["/pbx/generic/{account}"] = {"post": _generic(schemas)}
    document["paths"]["/pbx/zadarma/{account}"] = {"post": _zadarma()}
    return document


def _describe(operation: Json) -> None:
    operation["security"] = [{"token": []}]
    operation["responses"].pop("422", None)
    for status, (meaning, title) in _REFUSALS.items():
        example = {"type": "about:blank", "title": title, "status": int(status), "detail": meaning}
        operation["responses"][status] = described(meaning, example)


def _generic(schemas: Json) -> Json:
    for name, adapter in (("PbxRequest", pbx_generic.REQUEST), ("PbxAnswer", TypeAdapter(pbx_generic.Answer))):
        schema = adapter.json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    messages = {"started": _STARTED, "digits": _DIGITS, "dialed": _DIALED, "ended": _ENDED}
    examples = {name: {"value": message} for name, message in messages.items()}
    answers = {"question": {"value": _ANSWER}, "report": {"value": {"v": 1, "ok": True}}}
    return {
        "summary": "A question or a report of a PBX that speaks the generic contract",
        "security": [{"webhook": []}],
        "parameters": [_account()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": _REF.format(model="PbxRequest")}, "examples": examples}
            },
        },
        "responses": {
            "200": {
                "description": "What the PBX is to do next; to a report that it was written down.",
                "content": {
                    "application/json": {"schema": {"$ref": _REF.format(model="PbxAnswer")}, "examples": answers}
                },
            },
            **_WEBHOOK_RESPONSES,
        },
    }


def _zadarma() -> Json:
    example = {"redirect": "202", "return_timeout": 30, "rewrite_forward_number": "79261234567"}
    return {
        "summary": "A NOTIFY_* event of Zadarma, or its check of the address (`zd_echo`, by GET too)",
        "security": [{"zadarma": []}],
        "parameters": [_account()],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": {
                "description": "What the PBX is to do next; nothing to an event that asks nothing.",
                "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
            },
            **_WEBHOOK_RESPONSES,
        },
    }


def _account() -> Json:
    return {"name": "account", "in": "path", "required": True, "schema": {"type": "string"}, "example": "demo-generic"}
