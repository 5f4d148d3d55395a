"""What the router is compared with: an ASGI echo, and the obvious FastAPI service that asks Postgres for each call."""

import base64
import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
from fastapi import FastAPI, HTTPException, Request

from bench.router_world import NUMBERS_A_TENANT, World

SIGNED = ("caller_id", "called_did", "call_start")


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401
    """Answer every request with its own body."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


def lookup_service() -> FastAPI:
    """Return a service that checks the signature and finds the target by one indexed SELECT."""
    secret = os.environ["BENCH_SECRET"].encode()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=8, max_size=8) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/hook")
    async def hook(request: Request) -> dict[str, object]:
        form = dict(parse_qsl((await request.body()).decode()))
        digest = hmac.new(secret, "".join(form[name] for name in SIGNED).encode(), hashlib.sha1).hexdigest()
        if not hmac.compare_digest(base64.b64encode(digest.encode()).decode(), request.headers.get("signature", "")):
            raise HTTPException(401)
        target = await app.state.pool.fetchval(
            "select target from bench_binding where number = $1 and phone = $2", form["called_did"], form["caller_id"]
        )
        return {"redirect": "201", "return_timeout": 30, "rewrite_forward_number": target or ""}

    return app


async def fill_lookup(dsn: str, world: World) -> None:
    """Make the table of `lookup_service`: a row for each binding of the world."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "create table bench_binding as"
            f" select '7495' || (100 + i % {world.tenants})"
            f" || (1000 + i / {world.tenants} % {NUMBERS_A_TENANT}) as number,"
            " '+79' || (100000000 + i) as phone, '+79' || (500000000 + i) as target"
            f" from generate_series(0, {world.bindings - 1}) i"
        )
        await connection.execute("create unique index on bench_binding (number, phone)")
        await connection.execute("vacuum analyze bench_binding")
    finally:
        await connection.close()
