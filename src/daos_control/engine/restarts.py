"""Whether an engine that has ended is started again by itself, and when. Pure: values in, a decision out.

As in DAOS 2.8, one kind of end alone leads back to life: the engine ended *itself*, because the system excluded it.
A crash, a signal, an exit code, a start that failed, a stop that somebody asked for: all of these need a person, or
have one.

What comes back by itself must not do so for ever. An engine that serves for ``settled_s`` has come back well, and what
was before is forgotten. One that keeps ending sooner is given longer pauses, and after ``limit`` restarts in
``window_s`` it stays down. With the defaults of DAOS 2.8 the restarts of such an engine look like this::

    ended ─▶ at once ─▶ ended ─▶ 5 minutes ─▶ ended ─▶ 10 minutes ─▶ ended ─▶ 20 minutes ─▶ ended: left down

The pauses are counted from one restart to the next; the first two restarts are those of DAOS 2.8 to the second.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The end of one life of an engine."""

    text: str
    """How it ended, in the words that DAOS uses: ``/usr/bin/daos_engine exited: signal: killed``."""
    at: datetime
    pid: int
    """0 if no process was started."""
    code: int | None = None
    """What the process exited with."""
    signal: int | None = None
    """What ended the process instead."""
    rank: int | None = None
    incarnation: int = 0
    served_s: float | None = None
    """How long it served; None if it never got there."""
    wanted: bool = False
    """Somebody asked for it."""
    self_terminated: bool = False
    """It said that it ended itself because it was excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """What the configuration allows; ``min_delay_s`` is its ``engine_auto_restart_min_delay``."""

    enabled: bool = True
    min_delay_s: float = 300.0
    """From one automatic restart to the next; doubled for each one before that did not help."""
    limit: int = 4
    """Automatic restarts within the window; the next one is not made."""

    @property
    def settled_s(self) -> float:
        """How long an engine serves until its return counts as a success."""
        return self.min_delay_s

    @property
    def window_s(self) -> float:
        """How far back restarts count: as long as all that are allowed take, and as much again."""
        return self.min_delay_s * (1 << self.limit)

    def delay_s(self, recent: int) -> float:
        """Return the least time from the last restart to the next, after so many that did not help."""
        return self.min_delay_s * (1 << recent - 1) if recent else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """When an engine was restarted by itself, since somebody last took charge of it or it last came back well."""

    restarts: tuple[float, ...] = field(default=())
    """Moments, oldest first."""

    def with_restart(self, now: float) -> "History":
        """Return what is known after one more restart."""
        return History(restarts=(*self.restarts, now))

    def after(self, ended: Exit, policy: RestartPolicy) -> "History":
        """Return what is left to know after an exit: a good run makes up for everything."""
        well = ended.served_s is not None and ended.served_s >= policy.settled_s
        return History() if well else self

    def recent(self, policy: RestartPolicy, now: float) -> tuple[float, ...]:
        """Return the restarts that still count."""
        return tuple(moment for moment in self.restarts if moment > now - policy.window_s)


class Reason(Enum):
    """Why an engine stays down; the value is for people."""

    ORDERED = "it was stopped on request"
    DIED = "it did not end itself for being excluded: find out why it ended before it is started again"
    DISABLED = "automatic restart is disabled (disable_engine_auto_restart)"
    GIVEN_UP = "it was restarted too often without serving for long"


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again at this moment, which may have passed."""

    at: float


@dataclass(frozen=True, slots=True)
class Stay:
    """Leave it down until somebody starts it."""

    reason: Reason


Decision = Restart | Stay


def decide(history: History, ended: Exit, policy: RestartPolicy, now: float) -> Decision:
    """Decide what follows an exit. ``history`` is what was known before it; moments are those of one clock."""
    if ended.wanted:
        return Stay(Reason.ORDERED)
    if not ended.self_terminated:
        return Stay(Reason.DIED)
    if not policy.enabled:
        return Stay(Reason.DISABLED)
    recent = history.after(ended, policy).recent(policy, now)
    if len(recent) >= policy.limit:
        return Stay(Reason.GIVEN_UP)
    return Restart(max(now, recent[-1] + policy.delay_s(len(recent))) if recent else now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRecord:
    """What is known of an engine's ends and returns, since its server started."""

    history: History = field(default_factory=History)
    total: int = 0
    """Automatic restarts, all of them."""
    last: Exit | None = None
    decision: Decision | None = None
    """What follows from the last exit; None while the engine runs or somebody has it started."""

    def ended(self, ended: Exit, policy: RestartPolicy, now: float) -> "RestartRecord":
        """Take note of an exit and decide what follows."""
        decision = decide(self.history, ended, policy, now)
        return replace(self, history=self.history.after(ended, policy), last=ended, decision=decision)

    def explained(self, policy: RestartPolicy, now: float) -> "RestartRecord":
        """Learn that the last exit was the engine's own doing: the news of that may come after its end."""
        if self.last is None or self.last.wanted or self.last.self_terminated or self.decision is None:
            return self
        return self.ended(replace(self.last, self_terminated=True), policy, now)

    def restarted(self, policy: RestartPolicy, now: float) -> "RestartRecord":
        """Count an automatic restart."""
        history = History(restarts=self.history.recent(policy, now)).with_restart(now)
        return replace(self, history=history, total=self.total + 1, decision=None)

    def started(self) -> "RestartRecord":
        """See it started for another reason."""
        return replace(self, decision=None)

    def taken_over(self) -> "RestartRecord":
        """Forget what counts against the engine, and any restart that is due: somebody takes charge of it."""
        decision = Stay(Reason.ORDERED) if isinstance(self.decision, Restart) else self.decision
        return replace(self, history=History(), decision=decision)
