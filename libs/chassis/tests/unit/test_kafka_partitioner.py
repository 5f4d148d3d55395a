import pytest

from fareline_chassis.kafka.partitioner import partition_for

# From the tests of Kafka's own Java client (UtilsTest.testMurmur2), there as signed 32-bit numbers.
JAVA_HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("partitions", [1, 3, 12, 50])
@pytest.mark.parametrize("key", JAVA_HASHES)
def test_a_key_goes_where_the_java_client_puts_it(key: bytes, partitions: int) -> None:
    assert partition_for(key, partitions) == (JAVA_HASHES[key] & 0x7FFFFFFF) % partitions
