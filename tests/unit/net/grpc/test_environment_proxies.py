"""Which proxy is meant, and for whom none is."""

import pytest

from daos_control.net.grpc.proxies import BadProxy, proxy_for


def proxy(host: str = "node1", **environment: str) -> tuple[str, int, str] | None:
    found = proxy_for(host, 10001, environment)
    return None if found is None else (found.host, found.port, found.credentials)


def test_nobody_names_a_proxy():
    assert proxy() is None
    assert proxy(https_proxy="", ftp_proxy="http://x:1") is None


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy"])
def test_each_variable_counts(variable):
    assert proxy(**{variable: "http://squid:3128/"}) == ("squid", 3128, "")


def test_the_first_variable_wins():
    assert proxy(http_proxy="http://a:1", https_proxy="http://b:2") == ("b", 2, "")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("squid:3128", ("squid", 3128, "")),
        ("http://squid", ("squid", 80, "")),
        ("http://[::1]:3128", ("::1", 3128, "")),
        ("http://me:p%40ss@squid:3128", ("squid", 3128, "me:p@ss")),
    ],
)
def test_how_proxies_are_written(url, found):
    assert proxy(https_proxy=url) == found


@pytest.mark.parametrize("url", ["https://squid:3128", "socks5://x", "http://", "http://x:port", "http://x:99999"])
def test_what_is_no_proxy_of_ours(url):
    with pytest.raises(BadProxy, match="https_proxy"):
        proxy(https_proxy=url)


@pytest.mark.parametrize(
    ("host", "exceptions"),
    [
        ("node1", "node1"),
        ("node1", "a, NODE1 ,b"),
        ("node1", "node1:10001"),
        ("node1", "*"),
        ("node1.site.org", "site.org"),
        ("node1.site.org", ".site.org"),
        ("node1.site.org", "*.site.org"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3"),
        ("::1", "::1"),
        ("::1", "[::1]"),
        ("::1", "[::1]:10001"),
    ],
)
def test_for_whom_there_is_none(host, exceptions):
    assert proxy(host, https_proxy="http://squid:1", no_proxy=exceptions) is None


@pytest.mark.parametrize(
    ("host", "exceptions"),
    [
        ("node1", ""),
        ("node1", "node"),
        ("node1", "node1:10002"),
        ("mysite.org", "site.org"),
        ("10.1.2.3", "11.0.0.0/8"),
    ],
)
def test_for_whom_there_is_one(host, exceptions):
    assert proxy(host, https_proxy="http://squid:1", no_proxy=exceptions) == ("squid", 1, "")


def test_what_a_proxy_is_asked():
    found = proxy_for("node1", 10001, {"https_proxy": "http://me:secret@squid:1"})
    assert found is not None
    assert found.request("node1:10001") == (
        b"CONNECT node1:10001 HTTP/1.1\r\nHost: node1:10001\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
    )
