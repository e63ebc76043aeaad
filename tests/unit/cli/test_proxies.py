"""The environment's proxies are forgotten, in both spellings, and nothing else is."""

import os

import pytest

from daos_control.cli.proxies import forget_proxies


def test_proxies_go_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTP_PROXY", "no_proxy", "OTHER"):
        monkeypatch.setenv(name, "x")
    forget_proxies()
    assert not {"https_proxy", "HTTP_PROXY", "no_proxy"} & os.environ.keys()
    assert os.environ["OTHER"] == "x"
