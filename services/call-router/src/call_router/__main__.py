"""Roles of call-router: `python -m call_router run`, `python -m call_router explain`."""

import sys
from typing import Annotated, Any

import httpx
import typer
from pydantic import ValidationError

from call_router.app import Router
from call_router.pbx.loading import NoAdapter
from call_router.settings import Settings
from call_router.spool.segments import SpoolTaken
from fareline_chassis.auth import TokensUnusable
from fareline_chassis.lifecycle import run as run_process
from fareline_chassis.lifecycle import serve
from fareline_chassis.logs import configure_logging
from fareline_contracts.accounts import AccountsUnusable

_CANNOT_START = (AccountsUnusable, TokensUnusable, NoAdapter, SpoolTaken, OSError)
_USAGE_ERROR = 2
cli = typer.Typer(help="Answers PBX webhooks by the current binding.", no_args_is_help=True, add_completion=False)


@cli.callback()
def roles() -> None:
    """Answers PBX webhooks by the current binding."""


@cli.command()
def run() -> None:
    """Serve webhooks and the API until SIGTERM. All settings come from the environment."""
    settings = _settings()
    configure_logging("call-router", settings.log_level)
    run_process(_serve(settings))


@cli.command()
def explain(
    number: Annotated[str, typer.Argument(help="The number that is dialled.")],
    *,
    account: Annotated[str, typer.Option(help="The account of the PBX.")],
    token: Annotated[str, typer.Option(envvar="FARELINE_TOKEN", help="A token with scope route:explain.")],
    caller: Annotated[str, typer.Option(help="Who calls; empty: withheld.")] = "",
    digits: Annotated[str | None, typer.Option(help="Digits typed at the first ask.")] = None,
    url: Annotated[str, typer.Option(envvar="CALL_ROUTER_URL", help="A running router.")] = "http://127.0.0.1:8080",
) -> None:
    """Say where a call would go, and why, rule by rule. Changes nothing."""
    question = {"account": account, "number": number, "caller": caller, "digits": digits}
    try:
        answer = httpx.post(
            f"{url}/v1/route/explain", json=question, headers={"authorization": f"Bearer {token}"}, trust_env=False
        )
    except httpx.HTTPError as error:
        typer.echo(f"{url}: {type(error).__name__}", err=True)
        raise typer.Exit(1) from None
    if answer.is_error:
        typer.echo(f"{answer.status_code}: {answer.json().get('detail') or answer.reason_phrase}", err=True)
        raise typer.Exit(1)
    _tell(answer.json())


def _tell(found: dict[str, Any]) -> None:
    decision = found["decision"]
    for rule in found["rules"]:
        typer.echo(f"rule {rule['rule']}  {rule['outcome']:<7} {rule['why']}")
    for order in found["candidates"]:
        typer.echo(f"order {order['order_id']}: the caller is its {order['role']}, {order['order_status']}")
    typer.echo(f"{decision['reason']}: {'; '.join(map(_words, decision['actions']))} (source: {decision['source']})")


def _words(action: dict[str, Any]) -> str:
    details = " ".join(f"{name}={value}" for name, value in action.items() if name not in ("do", "context") and value)
    return f"{action['do']} {details}".strip()


async def _serve(settings: Settings) -> None:
    try:
        router = Router(settings)
    except _CANNOT_START as error:
        typer.echo(f"call-router cannot start: {error}", err=True)
        raise SystemExit(_USAGE_ERROR) from None
    await serve(
        router.asgi,
        host=settings.http_host,
        port=settings.http_port,
        on_start=router.start,
        on_stop=router.stop,
        health=router.health,
        drain=settings.drain,
    )


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            typer.echo(f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", err=True)
        sys.exit(_USAGE_ERROR)


if __name__ == "__main__":
    cli()
