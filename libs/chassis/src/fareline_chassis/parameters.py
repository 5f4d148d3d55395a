"""Query parameters that a route does not take are refused: one that is misspelt would else be left out unseen.

So are those given twice, of which one would be.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from starlette.requests import Request

from fareline_chassis.problems import Problem, invalid_parameters

_LONGEST_NAME: Final = 64


async def known_parameters(request: Request) -> None:
    """Refuse query parameters that the FastAPI route of `request` does not declare, and any that is given twice.

    A dependency of routes or routers. Raises Problem 400 with each name as `query/<name>`, cut to 64 characters, phones
    masked. Of no use to a route that takes a list, nor to one whose dependencies read the query by themselves: what
    they take is not declared.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    declared = get_flat_params(request.scope["route"].dependant)
    unknown = given.keys() - {one.alias for one in declared if isinstance(one.field_info, params.Query)}
    if unknown:
        raise _refused(unknown, "this route takes no such parameter")
    repeated = [name for name, times in given.items() if times > 1]
    if repeated:
        raise _refused(repeated, "given more than once")


def _refused(names: Iterable[str], why: str) -> Problem:
    return invalid_parameters([name[:_LONGEST_NAME] for name in sorted(names)], why)
