"""What the management service refuses, beyond the numbered faults."""

from daos_control.base.errors import DaosControlError
from daos_control.model.event import Event


class Refused(DaosControlError):
    """A request that its own content or the state of the system rules out; the text says why."""


class JoinRefused(Refused):
    """An engine may not join. The text says why and what to do, on its host and, through ``event``, to everybody."""

    def __init__(self, text: str, event: Event) -> None:
        super().__init__(text)
        self.event = event

    def __str__(self) -> str:
        return str(self.args[0])


class NotStored(DaosControlError):
    """A decision could not be made durable; nothing is known to have changed, and trying again is safe."""
