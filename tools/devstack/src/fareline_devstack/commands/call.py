"""`call`: place one call on what `up` started, as a PBX of one's own would ask."""

import asyncio
from datetime import timedelta
from typing import Annotated

import httpx
import typer
from rich.console import Console

from fareline_contracts.accounts import load_accounts
from fareline_devstack.envfile import read_env
from fareline_devstack.errors import DevstackError
from fareline_devstack.layout import find_layout
from fareline_devstack.story.calls import PbxRefused
from fareline_devstack.story.generic import GenericCall, GenericPbx
from fareline_devstack.story.routes import Do
from fareline_devstack.story.theatre import OWN_PBX_ACCOUNT

_TALK = timedelta(seconds=1)


def call(
    caller: Annotated[str, typer.Argument(help="Who calls, E.164; an empty string: number withheld.")],
    number: Annotated[str, typer.Argument(help="The number of ours that is dialled, E.164.")],
    digits: Annotated[str, typer.Option(help="Typed when a code is asked for.")] = "",
) -> None:
    """Ask call-router where a call goes, say what it answered, and report that it was answered and ended."""
    layout = find_layout()
    account = load_accounts(layout.accounts_file, demo=True)[OWN_PBX_ACCOUNT]

    async def place() -> list[str]:
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
            pbx = GenericPbx(http, read_env(layout.env_file)["CALL_ROUTER_URL"], account)
            return await _place(pbx.call(caller, number), digits)

    try:
        said = asyncio.run(place())
    except (httpx.HTTPError, PbxRefused) as error:
        raise DevstackError(f"call-router did not answer as it should: {error}") from error
    Console().print("\n".join(said), highlight=False, soft_wrap=True)


async def _place(one: GenericCall, digits: str) -> list[str]:
    answered = await one.start()
    said = [f"[bold]{one.pbx_call_id}[/] {answered.route.words()}"]
    if answered.route.do is Do.ASK:
        answered = await one.typed(digits)
        said.append(f"  after {digits or 'no digits'}: {answered.route.words()}")
    reached = answered.route.do is Do.DIAL
    if reached:
        await asyncio.sleep(_TALK.total_seconds())
    await one.ended(talked=_TALK if reached else None)
    return said
