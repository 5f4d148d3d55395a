"""A database that tells how often it was asked."""

from fareline_chassis.postgres.pool import Database


class Counted(Database):
    """Counts how often somebody took a connection."""

    taken = 0

    def acquire(self):
        self.taken += 1
        return super().acquire()
