"""Clocks: engines order what they store by time, and certificates are good only for a time."""

from collections.abc import Iterator

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.doctor.view import View
from daos_control.host.clock import DAEMONS, time_daemons

TOPIC = Topic("clock")
_FAR_OFF_S = 1.0


def check(view: View) -> Iterator[Finding]:
    """Somebody should keep it right."""
    programs = time_daemons(view.running)
    by = f"; kept by {', '.join(programs)}" if programs else ""
    clock = view.clock
    if clock is None:
        yield TOPIC.unknown("synchronised", "the kernel does not tell here", "look on the host itself: timedatectl")
    elif not clock.is_synchronised:
        remedy = "run chronyd or systemd-timesyncd, and see whether it reaches its servers: chronyc sources"
        if programs:
            remedy = "give it some minutes after its start; then see whether it reaches its servers: chronyc sources"
        found = f"the kernel's clock is not synchronised{by}" if programs else _nobody(view)
        yield TOPIC.warning("synchronised", found, remedy)
    elif clock.most_error_s > _FAR_OFF_S:
        yield TOPIC.warning(
            "synchronised",
            f"synchronised, but it may be off by up to {clock.most_error_s:.1f} s{by}",
            "see whether the time servers are reached: chronyc tracking",
        )
    else:
        yield TOPIC.ok("synchronised", f"off by {clock.most_error_s * 1000:.0f} ms at most{by}")


def _nobody(view: View) -> str:
    where = "; in a container the host's clock counts" if view.is_container else ""
    return f"the kernel's clock is not synchronised, and none of {', '.join(DAEMONS[:2])} and the like runs{where}"
