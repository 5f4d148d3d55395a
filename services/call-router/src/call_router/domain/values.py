"""What all values in here are made of.

A call makes some thirty of them, and the router remembers tens of thousands of calls. A frozen dataclass would cost
twenty times as much to make, and the garbage collector would visit each one remembered; see docs/adr/0014.
"""

import msgspec
from msgspec.structs import replace

__all__ = ["Value", "replace"]


class Value(msgspec.Struct, frozen=True, gc=False):
    """An immutable value, compared by its content: `class Point(Value, frozen=True)`; `replace` makes a changed copy.

    Fields are values, texts, numbers, times and tuples of such, never anything that could refer back to the value:
    the garbage collector does not look inside.
    """
