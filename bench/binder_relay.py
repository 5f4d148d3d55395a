"""The least that lies between an order event and a binding: consume, commit one row to PostgreSQL, produce."""

import asyncio
import os

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

IN, OUT = "relay.in", "relay.out"
TABLE = "CREATE TABLE IF NOT EXISTS relayed (key text, value bytea)"


async def relay() -> None:
    """Relay until killed; every batch is one row, one commit and one pipelined send."""
    bootstrap = os.environ["KAFKA_BOOTSTRAP"]
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute(TABLE)
    consumer = AIOKafkaConsumer(IN, bootstrap_servers=bootstrap, group_id="relay", auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await consumer.start()
    await producer.start()
    while True:
        batches = await consumer.getmany(timeout_ms=200, max_records=500)
        records = [record for batch in batches.values() for record in batch]
        if not records:
            continue
        await connection.execute("INSERT INTO relayed VALUES ($1, $2)", records[-1].key.decode(), records[-1].value)
        await asyncio.gather(
            *[await producer.send(OUT, record.value, key=record.key, partition=record.partition) for record in records]
        )


if __name__ == "__main__":
    uvloop.run(relay())
