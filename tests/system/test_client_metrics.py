"""Metrics of a genuine client, gathered by our agent, read by DAOS's own tool."""

import signal
import sys

import pytest

from daos_control.apps.agent.client_metrics import ROOT_KEY
from daos_control.telemetry import exposition

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"
FOREIGN = """
import asyncio, sys
from daos_control.net.drpc import client, methods
from daos_control.wire.pb.mgmt.svc_pb2 import ClientTelemetryReq
request = ClientTelemetryReq(jobid="not-mine", shm_key=int(sys.argv[2]))
print(asyncio.run(client.call(sys.argv[1], methods.Mgmt.SETUP_CLIENT_TELEM, request)).status)
"""


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
def test_a_clients_metrics_are_found_through_the_agent_until_their_time_is_over(mixed):
    mixed.bring_up()
    mixed.dmg("pool", "create", "--size=1G", "tank")
    before = mixed.segments()
    agent = mixed.start_agent(telemetry_port=9192, telemetry_enabled=True, telemetry_retain="30s")
    mixed.daos("container", "create", "tank", "things", "--type=POSIX")

    seen = mixed.daos_metrics("-S", 256, "-C", "-D", 0)
    assert "/started_at," in seen
    assert "/pool/" in seen, "of the pool, in a segment that the client has made beside"
    [pid] = mixed.segments() & set(range(1, 1 << 22))
    assert f"/{pid}/" in seen
    published = exposition.parse(mixed.run(sys.executable, "-c", FETCH, "http://127.0.0.1:9192/metrics"))
    [started] = [one for one in published if one.name == "client_started_at"]
    assert str(pid) in {metric.labels["pid"] for metric in started.metrics}
    assert any("pool" in metric.labels for one in published for metric in one.metrics)

    ours = [sys.executable, "-c", FOREIGN, mixed.folder / "agent" / "daos_agent.sock"]
    for key in (pid, ROOT_KEY):
        assert mixed._run([*ours, key], 0) == "-1001\n"
    assert "not-mine" not in mixed.daos_metrics("-S", 256, "-D", 0)

    mixed.until_segments_are(before | {ROOT_KEY})
    assert "started_at" not in mixed.daos_metrics("-S", 256, "-D", 0)

    mixed.daos("pool", "query", "tank")
    assert len(mixed.segments() - before) > 2
    assert agent.send(signal.SIGTERM) == 0
    assert mixed.segments() == before
