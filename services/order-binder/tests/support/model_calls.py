"""Who is rung, by the routing rules, when somebody dials: only as much of them as can ever reach a person."""

from model_slots import OTHER, direction, open_at, person


def allowed_now(record, side: str, now) -> bool:
    """Whether `side` may call through this binding at this moment."""
    window = direction(record, side)
    return window.allowed and window.opens_at <= now < window.closes_at


def sides_of(record, phone: str) -> list[str]:
    return [side for side in OTHER if phone in getattr(record.parties, side).phones]


def reached(records, number: str, caller: str, now, *, main: bool) -> dict[str, list]:
    """Return the persons that a caller who types nothing can be led to, with the bindings (record, side) that do it.

    On a main number all bindings of the tenant count, on a pool number those lent exactly that one.
    """
    found: dict[str, list] = {}
    for record in records:
        if open_at(record, now) and (main or record.number == number):
            for side in sides_of(record, caller):
                if allowed_now(record, side, now):
                    found.setdefault(person(record, OTHER[side]), []).append((record, side))
    return found


def reached_by_code(records, number: str, caller: str, digits: str, now) -> list:
    """Return the (record, side) through which a typed code rings somebody: none, or one."""
    known = any(open_at(record, now) and sides_of(record, caller) for record in records)
    found = []
    for record in records:
        owners = [side for side in OTHER if getattr(record.parties, side).code == digits]
        if not owners or not open_at(record, now):
            continue
        sides = sides_of(record, caller)
        if not sides and not known and record.number == number and str(record.state) == "active":
            sides = owners
        found += [(record, side) for side in sides[:1] if allowed_now(record, side, now)]
    return found
