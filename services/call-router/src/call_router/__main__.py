"""Roles of call-router: `python -m call_router run`, `python -m call_router explain`."""

from typing import Annotated

import typer

from call_router.app import Router
from call_router.explain_cli import Asker, CannotExplain, id_of
from call_router.pbx.loading import NoAdapter
from call_router.settings import Settings
from call_router.spool.segments import SpoolTaken
from fareline_chassis.auth import TokensUnusable
from fareline_chassis.lifecycle import explained, serve
from fareline_chassis.lifecycle import run as run_process
from fareline_chassis.logs import configure_logging
from fareline_chassis.settings import load_settings
from fareline_contracts.accounts import AccountsUnusable

_CANNOT_START = (AccountsUnusable, TokensUnusable, NoAdapter, SpoolTaken, OSError)
cli = typer.Typer(help="Answers PBX webhooks by the current binding.", no_args_is_help=True, add_completion=False)


@cli.callback()
def roles() -> None:
    """Answers PBX webhooks by the current binding."""


@cli.command()
def run() -> None:
    """Serve webhooks and the API until SIGTERM. All settings come from the environment."""
    settings = load_settings(Settings)
    configure_logging("call-router", settings.log_level)
    run_process(_serve(settings))


@cli.command()
def explain(
    number: Annotated[str | None, typer.Argument(help="The number that is dialled.")] = None,
    *,
    account: Annotated[str | None, typer.Option(help="The account of the PBX.")] = None,
    token: Annotated[str, typer.Option(envvar="FARELINE_TOKEN", help="Scope route:explain; for --call calls:read.")],
    caller: Annotated[str, typer.Option(help="Who calls; empty: withheld.")] = "",
    digits: Annotated[str | None, typer.Option(help="Digits typed at the first ask.")] = None,
    call: Annotated[
        str | None, typer.Option(help="A call that was made: our id; with --account the id that the PBX gave it.")
    ] = None,
    url: Annotated[str, typer.Option(envvar="CALL_ROUTER_URL", help="A running router.")] = "http://127.0.0.1:8080",
    log_url: Annotated[
        str, typer.Option(envvar="RECORDING_INGEST_URL", help="The call log, for --call.")
    ] = "http://127.0.0.1:8082",
) -> None:
    """Say where a call would go, or (with --call) why one went where, rule by rule. Changes nothing; phones masked."""
    asker = Asker(token)
    try:
        if call is not None:
            told = asker.about_a_call(log_url, id_of(call, account))
        elif number is not None and account is not None:
            question = {"account": account, "number": number, "caller": caller, "digits": digits}
            told = asker.about_a_call_nobody_made(url, question)
        else:
            raise typer.BadParameter("give a NUMBER and --account, or --call")
    except CannotExplain as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(1) from None
    for line in told:
        typer.echo(line)


async def _serve(settings: Settings) -> None:
    with explained("call-router", *_CANNOT_START):
        router = Router(settings)
    await serve(
        router.asgi,
        host=settings.http_host,
        port=settings.http_port,
        on_start=router.start,
        on_stop=router.stop,
        health=router.health,
        drain=settings.drain,
    )


if __name__ == "__main__":
    cli()
