"""Client telemetry: what the agent tells applications about it, and what they may ask of it.

Applications are told through environment variables whether to keep metrics and whether to register them with
the agent. Registration links the application's shared memory into the agent's, whose layout is private to the
DAOS C library; this agent has no exporter yet, so it answers "not initialised" and the application carries on
without being scraped.
"""

import os
import re
from dataclasses import dataclass

from daos_control.base.der import Der
from daos_control.wire.pb.mgmt.svc_pb2 import ClientTelemetryReq, ClientTelemetryResp

ENABLE = "D_CLIENT_METRICS_ENABLE=1"
REGISTER = "D_CLIENT_METRICS_REGISTER=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryPolicy:
    """Which applications keep metrics, and which of them register."""

    enabled: bool = False
    only: re.Pattern[str] | None = None
    """Names that register; None means all."""
    never: re.Pattern[str] | None = None
    """Names that do not register."""

    def env_vars(self, process_name: str) -> tuple[str, ...]:
        """Return the environment entries for an application of that name."""
        if not self.enabled:
            return ()
        if self.never is not None and self.never.search(process_name):
            return (ENABLE,)
        if self.only is not None and not self.only.search(process_name):
            return (ENABLE,)
        return (ENABLE, REGISTER)


def register(request: ClientTelemetryReq) -> ClientTelemetryResp:
    """Answer an application that wants its metrics exported. Raises ValueError if the request is incomplete."""
    if not request.jobid:
        raise ValueError("no job id")
    if not request.shm_key:
        raise ValueError("no shared memory key")
    return ClientTelemetryResp(status=Der.UNINIT, agent_uid=os.getuid())
