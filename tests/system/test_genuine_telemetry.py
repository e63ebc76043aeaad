"""The metrics of genuine engines: our dmg shows of them what the genuine one shows, our server publishes the same."""

import json
import sys

import pytest

from daos_control.telemetry import exposition
from daos_control.telemetry.metrics import Histogram

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

PORT = 9191
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"
PUBLISH = """
import sys
from daos_control.telemetry.exporter import engine_metrics
from daos_control.telemetry.publishing import page
sys.stdout.write(page(engine_metrics({0: 0})))
"""
GOS_OWN = ("go_", "process_", "promhttp_")
SERVE = """
import http.server, sys
page = open(sys.argv[1], "rb").read()
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page)
server = http.server.HTTPServer(("127.0.0.1", 9292), Page)
print("serving", flush=True)
server.serve_forever()
"""


def outline(one):
    """Return all of a set but its values, which change."""
    buckets = [len(metric.buckets) for metric in one.metrics if isinstance(metric, Histogram)]
    labels = sorted(tuple(sorted(metric.labels.items())) for metric in one.metrics)
    return (one.name, one.type, one.description, labels, sorted(buckets))


def settled(sets):
    """Return the values that do not change any more."""
    [started] = [one for one in sets if one.name == "engine_started_at"]
    return started.metrics


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
def test_both_dmgs_show_the_same_of_what_a_genuine_server_publishes(mixed):
    mixed.programs = mixed.genuine
    mixed.bring_up(telemetry_port=PORT)
    address = mixed.hosts[0].machine.address
    words = ("telemetry", "metrics", "list", "-l", address)
    listed = [mixed.ask(*words, program=programs.dmg) for programs in (mixed.genuine, mixed.ours)]
    assert listed[0] == listed[1]
    sets = listed[0]["response"]["available_metric_sets"]
    assert {"counter", "gauge", "summary"} <= {one["type"] for one in sets}
    assert "engine_started_at" in {one["name"] for one in sets}

    page = mixed.folder / "page"
    page.write_text(mixed.run(sys.executable, "-c", FETCH, f"http://{address}:{PORT}/metrics"))
    ours = exposition.parse(mixed.run(sys.executable, "-c", PUBLISH))
    theirs = [one for one in exposition.parse(page.read_text()) if not one.name.startswith(GOS_OWN)]
    assert [outline(one) for one in ours] == [outline(one) for one in theirs]
    assert settled(ours) == settled(theirs)

    server = mixed.serve([sys.executable, "-c", SERVE, page], "serving")
    words = ("telemetry", "metrics", "query", "-l", "127.0.0.1", "-p", "9292")
    for options in ((), ("-m", "engine_started_at,go_gc_duration_seconds")):
        asked = [mixed.ask(*words, *options, program=programs.dmg) for programs in (mixed.genuine, mixed.ours)]
        assert asked[0] == asked[1]
        shown = [mixed.dmg(*words, *options, program=programs.dmg) for programs in (mixed.genuine, mixed.ours)]
        assert shown[0] == shown[1]
    assert json.dumps(asked[1]).count("quantiles") == 1
    server.send(9)


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
def test_our_server_publishes_what_genuine_engines_count(mixed):
    host = mixed.bring_up(telemetry_port=PORT)
    host.server.shows("metrics are published on")
    address = host.machine.address
    for programs in (mixed.ours, mixed.genuine):
        asked = mixed.ask(
            "telemetry", "metrics", "query", "-l", address, "-m", "engine_started_at", program=programs.dmg
        )
        [one] = asked["response"]["metric_sets"]
        assert (one["type"], one["metrics"][0]["labels"]) == ("gauge", {"rank": "0"})
