"""Addresses, ports, hosts and proxies, right ones and wrong ones."""

from __future__ import annotations

import pytest

from folkmoot_operator.network_addresses import (
    check_dialled_address,
    check_dialled_host,
    check_host,
    check_http_proxy,
    is_loopback,
    join_address,
    split_address,
)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:7443", ("127.0.0.1", 7443)),
        ("[::1]:7443", ("::1", 7443)),
        ("localhost:1", ("localhost", 1)),
        ("Folkmoot.Example.Gov.UK:65535", ("folkmoot.example.gov.uk", 65535)),
        ("host:07443", ("host", 7443)),
        ("0.0.0.0:7443", ("0.0.0.0", 7443)),
        ("3com.example:80", ("3com.example", 80)),
    ],
)
def test_an_address_is_split_and_joined(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts
    assert split_address(join_address(*parts)) == parts


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "is not an address"),
        ("host", "is not an address"),
        (":7443", "is not an address"),
        ("host:", "is not an address"),
        ("host:https", "is not an address"),
        ("host:-1", "is not an address"),
        ("host:+1", "is not an address"),
        ("host: 1", "is not an address"),
        ("host:7443/", "is not an address"),
        ("host:\u0667\u0664\u0664\u0663", "is not an address"),
        ("host:0", "from 1 to 65535"),
        ("host:70000", "from 1 to 65535"),
        ("::1:7443", "in brackets"),
        ("2001:db8::1", "in brackets"),
        ("[example]:1", "neither a host name nor an IP address"),
        ("https://host:7443", "without https://"),
        ("dns:///host:7443", "without dns://"),
        ("unix:/run/socket:1", "in brackets"),
        ("user@host:1", "neither a host name nor an IP address"),
        ("127.1:1", "neither a host name nor an IP address"),
        ("0x7f.1:1", "neither a host name nor an IP address"),
        ("256.1.1.1:1", "neither a host name nor an IP address"),
        ("0:1", "neither a host name nor an IP address"),
        ("host.:1", "neither a host name nor an IP address"),
        ("-host:1", "neither a host name nor an IP address"),
        ("ho st:1", "neither a host name nor an IP address"),
        ("h\u00f6st:1", "neither a host name nor an IP address"),
        ("[fe80::1%eth0]:1", "has a zone"),
        (f"{'a' * 64}.example:1", "neither a host name nor an IP address"),
        (f"{'a.' * 127}a:1", "neither a host name nor an IP address"),
    ],
)
def test_what_is_no_address_says_why(address: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        split_address(address)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0::0", "::ffff:0.0.0.0"])
def test_every_address_can_be_listened_on_and_not_dialled(host: str) -> None:
    assert check_host(host)
    with pytest.raises(ValueError, match="every address of a machine"):
        check_dialled_host(host)
    with pytest.raises(ValueError, match="every address of a machine"):
        check_dialled_address(join_address(host, 7443))


@pytest.mark.parametrize("host", ["255.255.255.255", "224.0.0.1", "ff02::1"])
def test_many_machines_cannot_be_dialled(host: str) -> None:
    with pytest.raises(ValueError, match="many machines"):
        check_dialled_host(host)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://proxy.example.gov.uk:8080", "http://proxy.example.gov.uk:8080"),
        ("HTTP://Proxy:8080/", "http://proxy:8080"),
        ("http://user:s3cret@[::1]:8080", "http://user:s3cret@[::1]:8080"),
    ],
)
def test_a_proxy_has_one_form(written: str, read: str) -> None:
    assert check_http_proxy(written) == read


@pytest.mark.parametrize(
    ("proxy", "says"),
    [
        ("proxy.example.gov.uk:8080", "begin with http://"),
        ("proxy", "begin with http://"),
        ("", "begin with http://"),
        ("//proxy:8080", "begin with http://"),
        ("http:proxy:8080", "begin with http://"),
        ("https://s3cret:s3cret@proxy:8080", "not https://"),
        ("socks5://proxy:1080", "not socks5://"),
        ("http://proxy", "host:port"),
        ("http://proxy:99999", "from 1 to 65535"),
        ("http://0.0.0.0:8080", "every address of a machine"),
        ("http://proxy:8080/path", "nothing after it"),
        ("http://proxy:8080?s3cret", "nothing after it"),
        ("http://@proxy:8080", "nothing after it"),
        ("http://s3cret:s3cret@proxy:port", "is not an address"),
    ],
)
def test_what_grpc_would_pass_over_is_no_proxy(proxy: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        check_http_proxy(proxy)
    assert "s3cret" not in str(caught.value), "a password is not quoted"


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "localhost.example", "::")))
