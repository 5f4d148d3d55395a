"""What all values in here are made of.

An order event makes some forty of them; a frozen dataclass of as many fields costs twenty times as much to make, and
the garbage collector would visit each one. Why so, and for which price: docs/adr/0014.
"""

import msgspec
from msgspec.structs import replace

__all__ = ["Value", "replace"]


class Value(msgspec.Struct, frozen=True, gc=False):
    """An immutable value, equal by type and content: `class Point(Value, frozen=True)`; `replace` copies it changed.

    A field never refers back to its value: the garbage collector does not look inside.
    """
