"""Which addresses webhooks may go to: those of the public internet, whatever a host name resolves to."""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last four bytes are an IPv4 address, and that is where a gateway sends it."""
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")
_NEVER: Final = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # NAT64 of local use (RFC 8215)
    ipaddress.IPv6Network("2001::/32"),  # Teredo: an IPv4 address is in there, scrambled
    ipaddress.IPv6Network("fec0::/10"),  # site-local, deprecated and still routed inside some sites
)

_INSIDE: Final = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
)
"""Endings of names that nobody has on the public internet (RFC 6761, RFC 6762 with its appendix G, RFC 8375)."""

AddrInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class AddressNotAllowedError(OSError):
    """The receiver's address is not on the public internet. Which one it is stays unsaid: that is not for tenants."""

    def __init__(self) -> None:
        super().__init__("the receiver has no address on the public internet")


def is_public(text: str) -> bool:
    """Whether an address, as resolvers write it, is on the public internet."""
    try:
        address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _NEVER):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_private
        and not address.is_loopback
        and not address.is_link_local
        and not address.is_unspecified
    )


def may_be_public(host: str) -> bool:
    """Whether the host of a URL may be on the public internet, as far as its spelling says.

    Nothing is looked up: what is answered must not depend on which names there are inside.
    """
    name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
    if ":" in name:
        return is_public(name)
    try:
        return is_public(
            socket.inet_ntoa(socket.inet_aton(name))
        )  # however it is written: 127.1, 0x7f000001, 017700000001
    except OSError:
        return "." in name and not f".{name}".endswith(tuple(f".{ending}" for ending in _INSIDE))


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    packed = address.packed
    if address in _MAPPED or address in _TRANSLATED:
        return ipaddress.IPv4Address(packed[12:])
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(packed[2:6])
    return address


def public_socket(info: AddrInfo) -> socket.socket:
    """A socket for connecting to this very address; raises ``AddressNotAllowedError`` where it must not be.

    Whatever the URL says, and whatever a name resolved to before, this is what is connected to: so it cannot be got around
    by a name that resolves differently each time.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise AddressNotAllowedError
    return socket.socket(family=family, type=kind, proto=protocol)
