from __future__ import annotations

import socket

import pytest

from gateways.address import AddressNotAllowedError, is_public, may_be_public, public_socket


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_addresses_of_the_public_internet_are_allowed(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.1", "::1",  # loopback
        "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fc00::1", "fd12:3456::1", "fec0::1",  # private
        "169.254.169.254", "fe80::1", "fe80::1%eth0",  # link-local
        "0.0.0.0", "0.1.2.3", "::",  # unspecified
        "224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1",  # multicast
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1", "100::1",  # reserved
    ],
)  # fmt: skip
def test_addresses_that_are_not_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",  # mapped, and its older form
        "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::808:808",  # NAT64
        "2002:7f00:1::", "2002:a00:1::1",  # 6to4
        "2001:0:808:808::1",  # Teredo
    ],
)  # fmt: skip
def test_an_ipv4_address_inside_an_ipv6_address_is_looked_at(address: str) -> None:
    assert not is_public(address)


def test_what_is_no_address_is_refused() -> None:
    assert not is_public("example.com")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd12::1", "::ffff:10.0.0.1",
        "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021",  # other ways
        "localhost", "LOCALHOST.", "db.localhost", "printer.local", "vault.internal", "nas.lan", "a.home.arpa",
        "intranet", "postgres", "",  # names of one word
    ],
)  # fmt: skip
def test_a_host_that_cannot_be_public_is_known_by_its_spelling(host: str) -> None:
    assert not may_be_public(host)


@pytest.mark.parametrize(
    "host", ["hooks.example.com", "bücher.example", "8.8.8.8", "2606:4700::1111", "local.example.com", "mylocal.com"]
)
def test_any_other_is_left_to_be_looked_at_when_it_is_connected_to(host: str) -> None:
    assert may_be_public(host)


def test_nothing_is_looked_up_to_find_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up")

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, asked)
    assert may_be_public("hooks.example.com")


def test_no_socket_is_made_for_an_address_that_is_not_allowed() -> None:
    stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with pytest.raises(AddressNotAllowedError) as refused:
        public_socket((*stream, ("10.1.2.3", 443)))
    assert "10.1.2.3" not in str(refused.value)
    with public_socket((*stream, ("8.8.8.8", 443))) as made:
        assert made.family is socket.AF_INET
