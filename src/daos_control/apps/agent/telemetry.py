"""Client telemetry: what the agent tells applications about it.

Through environment variables they learn whether to keep metrics, and whether to register them with the agent. What
registering does is told in ``client_metrics``.
"""

import re
from dataclasses import dataclass

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
