"""Which addresses the downloader may connect to: the guard against being sent into our own network."""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# `is_global` calls these global although they carry, or stand for, other addresses.
_WRAPPERS = tuple(map(ipaddress.ip_network, ("2002::/16", "192.0.0.0/24", "192.88.99.0/24")))
# What is handed out as public IPv6 lies in here; NAT64, IPv4-compatible, SIIT and site-local addresses do not.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_HTTPS_PORT = 443


class AddressRefused(Exception):
    """A URL or an address that must not be fetched. The message holds no part of the URL but its host."""


@dataclass(frozen=True, slots=True)
class HostRules:
    """What an account allows. `private` lets http, any port and private addresses pass: the demo's file server."""

    hosts: frozenset[str]
    private: bool = False


def check_url(url: str, rules: HostRules) -> SplitResult:
    """Return the parts of `url` if its scheme, host and port are allowed; AddressRefused otherwise.

    Hosts are compared exactly, so an IP literal in any spelling passes only if it is listed in that spelling.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise AddressRefused("malformed URL") from error
    if parts.scheme != "https" and not (rules.private and parts.scheme == "http"):
        raise AddressRefused(f"scheme {parts.scheme[:10]!r}")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("credentials in the URL")
    if port not in (None, _HTTPS_PORT) and not rules.private:
        raise AddressRefused(f"port {port}")
    if host not in rules.hosts:
        raise AddressRefused(f"host {host[:100]!r} is not on the account's list")
    return parts


def check_addresses(addresses: Collection[str], rules: HostRules) -> Sequence[str]:
    """Return the addresses that a host resolved to if every one may be used; AddressRefused otherwise."""
    if not addresses:
        raise AddressRefused("the host has no address")
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise AddressRefused("not an address") from error
        if not rules.private and not is_public(address):
            raise AddressRefused("the host has an address that is not public")
    return tuple(addresses)


def is_public(address: Address) -> bool:
    """Tell whether `address` lies in the public internet, seen through IPv4-mapped, NAT64 and 6to4 disguises."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == _GLOBAL_UNICAST.version and address not in _GLOBAL_UNICAST:
        return False
    if any(address in network for network in _WRAPPERS if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast
