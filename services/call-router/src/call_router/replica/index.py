"""An index from integer keys to the rows of a table, most keys leading to a single row.

Integers and bare tuples only: a set for each phone would cost more than the bindings themselves.
"""

Rows = tuple[int, ...]


class RowIndex:
    """Rows by key. A key with one row stores the integer alone."""

    def __init__(self) -> None:
        self._rows: dict[int, int | Rows] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: int) -> Rows:
        """Return the rows of `key`, in the order in which they were added."""
        found = self._rows.get(key, ())
        return (found,) if isinstance(found, int) else found

    def add(self, key: int, row: int) -> None:
        """Add `row` to `key`; again is no change."""
        if key not in self._rows:
            self._rows[key] = row
            return
        rows = self.get(key)
        if row not in rows:
            self._rows[key] = (*rows, row)

    def remove(self, key: int, row: int) -> None:
        """Take `row` from `key`, if it is there."""
        found = self._rows.get(key)
        if isinstance(found, tuple):
            rows = tuple([other for other in found if other != row])
            self._rows[key] = rows[0] if len(rows) == 1 else rows
        elif found == row:
            del self._rows[key]
