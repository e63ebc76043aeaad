"""What Prometheus needs: the right file, the right sum, and a configuration that keeps what was in it."""

import json
from typing import Any

import pytest

from daos_control.telemetry.prometheus import PrometheusError, Release, checksum_of, configured


def release(*names: str) -> bytes:
    assets = [{"name": name, "browser_download_url": f"https://x/{name}"} for name in names]
    return json.dumps({"tag_name": "v3.5.0", "assets": assets}).encode()


def test_the_file_for_a_machine() -> None:
    text = release(
        "prometheus-web-ui-3.5.0.tar.gz", "prometheus-3.5.0.linux-arm64.tar.gz", "prometheus-3.5.0.linux-amd64.tar.gz"
    )
    found = Release.parse(text)
    assert found.tag == "v3.5.0"
    assert found.for_machine("x86_64").url == "https://x/prometheus-3.5.0.linux-amd64.tar.gz"
    assert found.for_machine("aarch64").name == "prometheus-3.5.0.linux-arm64.tar.gz"
    with pytest.raises(PrometheusError, match="no file for linux-vax"):
        found.for_machine("vax")


@pytest.mark.parametrize("text", [b"", b"[]", b'{"tag_name": "v1"}', b'{"tag_name": "v1", "assets": [{}]}', b"<html>"])
def test_what_is_no_description(text: bytes) -> None:
    with pytest.raises(PrometheusError, match="makes no sense"):
        Release.parse(text)


def test_a_sum_that_is_there_and_one_that_is_not() -> None:
    sums = f"{'a' * 64}  prometheus.tar.gz\n{'b' * 64} *other.tar.gz\nnot a sum  third\n"
    assert checksum_of("prometheus.tar.gz", sums) == "a" * 64
    assert checksum_of("other.tar.gz", sums) == "b" * 64
    assert checksum_of("third", sums) == ""


JOB = {"job_name": "daos", "scrape_interval": "5s", "static_configs": [{"targets": ["a:9191", "b:9191"]}]}


@pytest.mark.parametrize("present", [None, {}])
def test_a_configuration_from_nothing(present: dict[str, Any] | None) -> None:
    assert configured(present, ["b:9191", "a:9191"]) == {
        "global": {"scrape_interval": "15s"},
        "scrape_configs": [JOB],
    }


def test_what_is_there_stays_but_for_our_own_job() -> None:
    other = {"job_name": "nodes", "static_configs": [{"targets": ["c:9100"]}]}
    old = {"job_name": "daos", "static_configs": [{"targets": ["gone:9191"]}]}
    present = {"rule_files": ["x"], "scrape_configs": [old, other]}
    assert configured(present, ["a:9191", "b:9191"]) == {"rule_files": ["x"], "scrape_configs": [other, JOB]}


def test_jobs_that_are_none() -> None:
    with pytest.raises(PrometheusError, match="not a list"):
        configured({"scrape_configs": "all"}, [])
