"""dmg telemetry against pages of metrics, those of the recordings among them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from daos_control.cli.dmg import run

RECORDED = ("141-telemetry-metrics-list", "142-telemetry-metrics-query")
Telemetry = Callable[..., int]


@contextmanager
def serving(page: str, *, status: int = 200) -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def telemetry(tmp_path: Path) -> Telemetry:
    config = tmp_path / "daos_control.yml"
    config.write_text("transport_config:\n  allow_insecure: true\n")
    return lambda *words: run(["-o", str(config), "telemetry", "metrics", *map(str, words)])


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("way", ["json", "human"])
def test_recorded_pages(
    name: str, way: str, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case: dict[str, Any] = json.loads((recordings / "cases" / f"{name}.json").read_text())
    (tmp_path / "control.yml").write_text(case["config"])
    with serving(case["metrics"]) as port:
        words = [word.replace("@CONFIG@", str(tmp_path / "control.yml")) for word in case[way]["argv"][1:]]
        assert run([*words, "-p", str(port)]) == case[way]["exit_code"]
    out = capsys.readouterr().out
    if way == "json":
        assert out == json.dumps(case["json"]["json"], indent=2) + "\n", "to the order of keys"
    else:
        assert out == case["human"]["stdout"].replace(":9191", f":{port}")


def test_numbers_keep_all_their_digits(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("a 8.923076923076923\n") as port:
        assert telemetry("query", "-l", "127.0.0.1", "-p", port, "-j") == 0
    assert '"value": 8.923076923076923' in capsys.readouterr().out


def test_chosen_metrics_come_in_the_order_they_were_asked_for(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving("a 1\nb NaN\nc +Inf\n") as port:
        assert telemetry("query", "-l", "127.0.0.1:10001", "-p", port, "-m", "c,b", "-j") == 0
    sets = json.loads(capsys.readouterr().out)["response"]["metric_sets"]
    assert [(one["name"], one["metrics"][0]["value"]) for one in sets] == [("c", "+Inf"), ("b", "NaN")]


def test_a_name_that_is_not_there_is_told_with_the_nearest(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving("engine_up 1\nengine_io_ops_fetch_active 2\n") as port:
        assert telemetry("query", "-l", "127.0.0.1", "-p", port, "-m", "engine_io_fetch_active,zzz") == 1
    error = capsys.readouterr().err
    assert "the host has no metric 'engine_io_fetch_active'; nearest: engine_io_ops_fetch_active" in error
    assert "the host has no metric 'zzz': dmg telemetry metrics list" in error


def test_a_page_of_something_else(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("<html>\n") as port:
        assert telemetry("list", "-l", "127.0.0.1", "-p", port) == 1
    assert "unable to list metrics: these are no metrics in Prometheus's text format: line 1" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["list", "query"])
def test_nobody_publishes_metrics(verb: str, telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("") as port:
        pass
    assert telemetry(verb, "-l", "127.0.0.1", "-p", port, "-j") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["status"] == -1025
    assert (
        f"unable to {verb} metrics: http://127.0.0.1:{port}/metrics cannot be reached: connection refused;"
        in captured.err
    )
    assert "telemetry_port" in captured.err


def test_a_host_that_has_no_metrics_yet_says_so(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("") as port:
        assert telemetry("list", "-l", "127.0.0.1", "-p", port) == 0
        assert telemetry("query", "-l", "127.0.0.1", "-p", port) == 0
    assert capsys.readouterr().out.count(f"127.0.0.1:{port} publishes no metrics yet\n") == 2


def test_ports_that_there_are_not(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    assert telemetry("list", "-l", "127.0.0.1", "-p", 70000) == 1
    assert "there may be 65535 at most" in capsys.readouterr().err


def test_several_hosts_are_refused(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    assert telemetry("list", "-l", "node[1-2]") == 1
    assert "exactly one host" in capsys.readouterr().err


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run dmg telemetry config for a user of a home, with a Prometheus in PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prometheus").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "prometheus").chmod(0o755)
    (tmp_path / "control.yml").write_text("hostlist: ['n[1-2]:10001']\ntransport_config:\n  allow_insecure: true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return lambda *words: run(["-o", str(tmp_path / "control.yml"), "telemetry", "config", *words])


def test_prometheus_is_configured_for_all_hosts(
    configure: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure("-i", str(tmp_path)) == 0
    out = capsys.readouterr().out
    assert f"Prometheus is {tmp_path}/bin/prometheus\n" in out
    assert f"{tmp_path}/.prometheus.yml gathers metrics of 2 hosts\n" in out
    assert "targets:\n    - n1:9191\n    - n2:9191\n" in (tmp_path / ".prometheus.yml").read_text()
    assert configure("-i", str(tmp_path), "-s", "Prometheus", "-p", "9999", "-j") == 0
    assert json.loads(capsys.readouterr().out) == {"response": None, "error": None, "status": 0}
    assert "n2:9999" in (tmp_path / ".prometheus.yml").read_text()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-i", "/nonexistent"], "make it first"),
        (["-i", "/tmp", "-s", "graphite"], "'graphite' is not known"),
        ([], "the required flag"),
    ],
)
def test_what_cannot_be_configured(
    words: list[str], problem: str, configure: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure(*words) == 1
    assert problem in capsys.readouterr().err
