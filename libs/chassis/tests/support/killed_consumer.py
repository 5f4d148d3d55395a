"""A consumer process to be killed: notes each record durably, and either returns from its handler or never does.

Arguments: bootstrap, prefix, file, `hold` or `go`.
"""

import asyncio
import os
import sys
from pathlib import Path

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber


async def main(bootstrap: str, prefix: str, notes: Path, mode: str) -> None:
    broker = build_broker(bootstrap, client_id="killed", topic_prefix=prefix)

    async def handler(records) -> None:
        with notes.open("a") as file:
            file.writelines(f"{record.offset} {record.value.decode()}\n" for record in records)
            file.flush()
            os.fsync(file.fileno())
        if mode == "hold":
            await asyncio.Event().wait()

    declare_batch_subscriber(broker, topic="t", group="g", handler=handler)
    await broker.start(HealthComponent("kafka"))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
