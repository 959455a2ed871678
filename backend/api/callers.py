"""Where a request comes from, as far as can be known; for limits only, never logged or kept."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from backend.settings import Network

_HEADER = "X-Forwarded-For"
_MOST_HOPS = 10
_HOUSEHOLD = 64
"""Bits of an IPv6 address that belong to one connection; who has one address there has all of them."""


class Callers:
    """Finds the address behind the proxies that are ours.

    Args:
        trusted: Networks of our own proxies; what others say in the header is not believed.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def of(self, request: web.Request) -> str:
        """The caller's address, IPv6 by its network; empty if only a proxy's own address is known.

        Args:
            request: With any number of ``X-Forwarded-For`` headers, in which each proxy adds whom it serves.
        """
        given = ",".join(request.headers.getall(_HEADER, [])).split(",")
        hops = [request.remote or "", *[hop.strip() for hop in reversed(given)][:_MOST_HOPS]]
        for hop in hops:
            address = _address(hop)
            if address is None:
                return ""
            if not self._is_ours(address):
                return _shared(address)
        return ""

    def _is_ours(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _shared(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    network = ip_network((address, _HOUSEHOLD), strict=False)
    assert isinstance(network, IPv6Network)  # noqa: S101 - of an IPv6 address
    return str(network)
