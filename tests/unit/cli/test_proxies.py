"""The environment's proxies are forgotten, in both spellings, unless somebody wants them; nothing else is."""

import os

import pytest

from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.flags import parse
from daos_control.cli.proxies import allowed, forget_proxies


def test_proxies_go_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTP_PROXY", "no_proxy", "OTHER"):
        monkeypatch.setenv(name, "x")
    forget_proxies()
    assert not {"https_proxy", "HTTP_PROXY", "no_proxy"} & os.environ.keys()
    assert os.environ["OTHER"] == "x"


@pytest.mark.parametrize(
    ("line", "environment", "expected"),
    [
        ("version", {}, False),
        ("version --allow-proxy", {}, True),
        ("version", {"DAOS_DISABLE_PROXY_SCRUB": "true"}, True),
        ("version", {"DAOS_DISABLE_PROXY_SCRUB": "1"}, True),
        ("version", {"DAOS_DISABLE_PROXY_SCRUB": "0"}, False),
        ("version", {"DAOS_DISABLE_PROXY_SCRUB": "yes"}, False),
        ("version", {"DAOS_DISABLE_PROXY_SCRUB": ""}, False),
    ],
)
def test_proxies_are_kept_for_who_wants_them(line: str, environment: dict[str, str], expected: bool) -> None:
    assert allowed(parse(PROGRAM, line.split()).values, environment) is expected
