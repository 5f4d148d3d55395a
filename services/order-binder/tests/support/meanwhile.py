"""Something that happens while a batch is being decided."""

from contextlib import asynccontextmanager


class Meanwhile:
    """The store, but that between reading and writing of the first batches something is done. Says how often it was."""

    def __init__(self, store, *deeds):
        self._store, self._deeds, self.done = store, list(deeds), 0

    @asynccontextmanager
    async def optimistic(self):
        async with self._store.optimistic() as unit:
            yield Interrupted(unit, self)

    async def now(self):
        if self._deeds:
            self.done += 1
            await self._deeds.pop(0)()


class Interrupted:
    """A unit of such a store."""

    def __init__(self, unit, meanwhile):
        self._unit, self._meanwhile = unit, meanwhile

    def __getattr__(self, name):
        return getattr(self._unit, name)

    async def save(self, batch):
        self.batch = batch
        await self._meanwhile.now()
        await self._unit.save(batch)
