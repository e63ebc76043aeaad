"""Installing Prometheus from a release on a server of our own, and configuring it without losing anything."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from daos_control.telemetry.prometheus import PrometheusError
from daos_control.telemetry.prometheus_setup import Downloads, check_folder, configure, find_program, install

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
NAME = "prometheus-3.5.0.linux-amd64.tar.gz"


def packed(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            content = f"#!/bin/sh\n# {name}\n".encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Site:
    """A site that releases things."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        site = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site.pages.get(self.path)
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Length", str(len(page or b"")))
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def release(self, content: bytes, *, sums: str | None = None, digest: str = "") -> Downloads:
        self.pages[f"/{NAME}"] = content
        assets = [{"name": NAME, "browser_download_url": f"{self.url}/{NAME}", "digest": digest}]
        if sums is not None:
            self.pages["/sha256sums.txt"] = sums.encode()
            assets.append({"name": "sha256sums.txt", "browser_download_url": f"{self.url}/sha256sums.txt"})
        self.pages["/latest"] = json.dumps({"tag_name": "v3.5.0", "assets": assets}).encode()
        return Downloads(latest=f"{self.url}/latest")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


def test_a_release_that_is_what_it_should_be(site: Site, tmp_path: Path) -> None:
    content = packed("prometheus-3.5.0/promtool", "prometheus-3.5.0/prometheus")
    told: list[str] = []
    sums = f"{hashlib.sha256(content).hexdigest()}  {NAME}\n"
    program = install(tmp_path, site.release(content, sums=sums), told.append)
    assert program == tmp_path / "prometheus"
    assert program.read_text() == "#!/bin/sh\n# prometheus-3.5.0/prometheus\n"
    assert program.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["prometheus"]
    assert find_program(tmp_path, path="/nonexistent") == program
    assert told == [f"Downloading {NAME} from {site.url}/{NAME}", "Its SHA-256 sum is right"]


@pytest.mark.parametrize("way", ["list of sums", "description"])
def test_a_release_that_somebody_has_changed(way: str, site: Site, tmp_path: Path) -> None:
    wrong = "0" * 64
    sums = {"sums": f"{wrong}  {NAME}\n"} if way == "list of sums" else {"digest": f"sha256:{wrong}"}
    with pytest.raises(PrometheusError, match="is not what was released: SHA-256"):
        install(tmp_path, site.release(packed("prometheus"), **sums), print)
    assert not list(tmp_path.iterdir())


def test_a_release_without_sums_is_taken_and_that_is_told(site: Site, tmp_path: Path) -> None:
    told: list[str] = []
    install(tmp_path, site.release(packed("prometheus")), told.append)
    assert told[-1] == "The release tells no sum to check it with"


@pytest.mark.parametrize(
    ("content", "problem"), [(packed("promtool"), "holds no program"), (b"\x1f\x8bnonsense", "cannot be unpacked")]
)
def test_a_release_with_something_else_in_it(content: bytes, problem: str, site: Site, tmp_path: Path) -> None:
    with pytest.raises(PrometheusError, match=problem):
        install(tmp_path, site.release(content), print)
    assert not list(tmp_path.iterdir())


def test_no_way_to_the_internet(site: Site, tmp_path: Path) -> None:
    with pytest.raises(PrometheusError, match=r"answers 404 .*by hand .*prometheus\.io/download"):
        install(tmp_path, Downloads(latest=f"{site.url}/absent"), print)
    nobody = Downloads(latest="http://127.0.0.1:1/latest")
    with pytest.raises(PrometheusError, match=r"http://127\.0\.0\.1:1/latest cannot be read: .*refused"):
        install(tmp_path, nobody, print)


def test_a_download_that_was_stopped(site: Site, tmp_path: Path) -> None:
    downloads = site.release(packed("prometheus"))
    downloads.stop()
    with pytest.raises(PrometheusError, match="somebody has stopped it"):
        install(tmp_path, downloads, print)


def test_a_folder_to_install_into(tmp_path: Path) -> None:
    check_folder(tmp_path)
    with pytest.raises(PrometheusError, match="make it first"):
        check_folder(tmp_path / "absent")


def test_a_first_configuration(tmp_path: Path) -> None:
    config = tmp_path / ".prometheus.yml"
    done = configure(config, Path("prometheus"), ["a:9191"], NOW)
    assert (done.backup, done.changed) == (None, True)
    assert yaml.safe_load(config.read_text())["scrape_configs"][0]["static_configs"] == [{"targets": ["a:9191"]}]
    assert not configure(config, Path("prometheus"), ["a:9191"], NOW).changed
    assert [path.name for path in tmp_path.iterdir()] == [".prometheus.yml"]


def test_a_configuration_of_the_users_own_is_kept_beside(tmp_path: Path) -> None:
    config = tmp_path / ".prometheus.yml"
    mine = "# mine\nscrape_configs:\n- job_name: nodes\n"
    config.write_text(mine)
    done = configure(config, Path("prometheus"), ["a:9191"], NOW)
    assert done.backup == tmp_path / ".prometheus.yml.20260131-120000"
    assert done.backup.read_text() == mine
    assert [job["job_name"] for job in yaml.safe_load(config.read_text())["scrape_configs"]] == ["nodes", "daos"]


@pytest.mark.parametrize("text", ["- a list\n", "a: [\n", "scrape_configs: all\n"])
def test_what_is_no_configuration_is_left_alone(text: str, tmp_path: Path) -> None:
    config = tmp_path / ".prometheus.yml"
    config.write_text(text)
    with pytest.raises(PrometheusError, match="is left as it is"):
        configure(config, Path("prometheus"), ["a:9191"], NOW)
    assert config.read_text() == text


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.yml").write_text("scrape_configs: []\n")
    (tmp_path / ".prometheus.yml").symlink_to("real.yml")
    configure(tmp_path / ".prometheus.yml", Path("prometheus"), ["a:9191"], NOW)
    assert (tmp_path / ".prometheus.yml").is_symlink()
    assert "a:9191" in (tmp_path / "real.yml").read_text()
