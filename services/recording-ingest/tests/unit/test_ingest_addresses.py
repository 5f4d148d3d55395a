"""The guard against being sent into our own network."""

import pytest

from recording_ingest.domain.addresses import AddressRefused, HostRules, check_addresses, check_url

RULES = HostRules(frozenset({"pbx.example"}))
DEMO = HostRules(frozenset({"127.0.0.1"}), private=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://pbx.example/a.wav",
        "https://PBX.example:443/a.wav?token=1",
        "https://pbx.example./a.wav",
    ],
)
def test_allowed_urls(url: str) -> None:
    assert check_url(url, RULES).path == "/a.wav"


@pytest.mark.parametrize(
    "url",
    [
        "http://pbx.example/a.wav",
        "https://pbx.example:8443/a.wav",
        "https://pbx.example.evil.test/a.wav",
        "https://evil.test/pbx.example",
        "https://user:secret@pbx.example/a.wav",
        "https://pbx.example@evil.test/a.wav",
        "https://127.0.0.1/a.wav",
        "https://2130706433/a.wav",
        "https://0177.0.0.1/a.wav",
        "https://0x7f.1/a.wav",
        "https://[::ffff:127.0.0.1]/a.wav",
        "file:///etc/passwd",
        "gopher://pbx.example/",
        "https:///a.wav",
        "https://pbx.example:port/a.wav",
        "https://[::1/a.wav",
        "",
    ],
)
def test_refused_urls(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, RULES)


def test_the_demo_may_use_its_own_machine_and_nothing_else() -> None:
    assert check_url("http://127.0.0.1:9000/a.wav", DEMO).port == 9000
    assert check_addresses(["127.0.0.1"], DEMO) == ("127.0.0.1",)
    with pytest.raises(AddressRefused):
        check_url("http://127.0.0.2:9000/a.wav", DEMO)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.0.8", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "2002:a00:1::1",
        "2001:db8::1", "not an address", "192.0.0.170", "::10.0.0.1", "::7f00:1", "::ffff:0:10.0.0.1", "fec0::1",
        "64:ff9b:1::a00:1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1", "5f00::1", "192.88.99.1",
        "0:0:0:0:0:ffff:7f00:1", "::ffff:192.168.0.1", "2002:7f00:1::", "fe80::1%eth0", "240.0.0.1",
    ],
)  # fmt: skip
def test_refused_addresses(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_addresses([address], RULES)
    with pytest.raises(AddressRefused):
        check_addresses(["93.184.216.34", address], RULES)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses(address: str) -> None:
    assert check_addresses([address], RULES) == (address,)


def test_no_address_is_no_permission() -> None:
    with pytest.raises(AddressRefused):
        check_addresses([], RULES)
