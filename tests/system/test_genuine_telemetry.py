"""The metrics of genuine engines: our dmg shows of them what the genuine one shows."""

import json
import sys

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

PORT = 9191
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"
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
    server = mixed.serve([sys.executable, "-c", SERVE, page], "serving")
    words = ("telemetry", "metrics", "query", "-l", "127.0.0.1", "-p", "9292")
    for options in ((), ("-m", "engine_started_at,go_gc_duration_seconds")):
        asked = [mixed.ask(*words, *options, program=programs.dmg) for programs in (mixed.genuine, mixed.ours)]
        assert asked[0] == asked[1]
        shown = [mixed.dmg(*words, *options, program=programs.dmg) for programs in (mixed.genuine, mixed.ours)]
        assert shown[0] == shown[1]
    assert json.dumps(asked[1]).count("quantiles") == 1
    server.send(9)
