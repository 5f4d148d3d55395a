"""Query parameters that a route does not take are refused: one that is misspelt would else be left out unseen."""

from typing import Final

from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from starlette.requests import Request

from fareline_chassis.problems import invalid_parameters

_LONGEST_NAME: Final = 64


async def known_parameters(request: Request) -> None:
    """Refuse query parameters that the FastAPI route of `request` does not declare: a dependency of routes or routers.

    Raises Problem 400 with each name as `query/<name>`, cut to 64 characters, phones masked. Of no use to a route
    whose dependencies read the query by themselves: what they take is not declared.
    """
    given = set(request.query_params)
    if not given:
        return
    declared = get_flat_params(request.scope["route"].dependant)
    unknown = given - {one.alias for one in declared if isinstance(one.field_info, params.Query)}
    if unknown:
        names = [name[:_LONGEST_NAME] for name in sorted(unknown)]
        raise invalid_parameters(names, "this route takes no such parameter")
