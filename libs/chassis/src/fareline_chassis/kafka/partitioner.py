"""Which partition a key belongs to, by the rule of Kafka's own clients."""

from aiokafka.partitioner import murmur2


def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition of `key` in a topic of `partitions`: murmur2 without its sign, modulo."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions
