"""What to tell a person about each RAS event: what it means, its usual causes, what to do, what happens anyway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from daos_control.model.event import EventId, EventType, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWords:
    """One event, in the words of people."""

    kind: EventType
    severity: Severity
    """How bad it usually is."""
    meaning: str
    causes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    reaction: str = ""
    """What the control plane does by itself."""


_STORY: Final = "See how the rank stands: dmg system query --explain RANK"
_ENGINES: Final = "See how engines of the host ended: dmg system engines"
_ENGINE_LOG: Final = "Read the end of the engine's log (log_file in daos_server.yml)."
_POOL: Final = "Look at the pool: dmg pool query POOL"
_DEVICES: Final = "See the state and health of its devices: dmg storage query list-devices --health"
_RECORDED: Final = "It is recorded: dmg system events."
_UNRAISED: Final = "Nothing in DAOS 2.8 raises it; its number is kept."

WORDS: Final[Mapping[EventId, EventWords]] = {
    EventId.UNKNOWN_RAS_EVENT: EventWords(
        kind=EventType.ANY,
        severity=Severity.UNKNOWN,
        meaning="An event whose number this release does not know.",
        causes=("an engine of a newer release",),
        steps=("Read its message, and compare releases: dmg server-version",),
        reaction=_RECORDED,
    ),
    EventId.ENGINE_FORMAT_REQUIRED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="An engine cannot start because its storage has not been formatted.",
        causes=("a new host", "storage that was wiped or replaced", "a file system that is not mounted"),
        steps=(
            "See that it is the host that you expect: dmg storage scan",
            "Format it: dmg storage format --host-list=HOST",
            "If it held a rank whose storage is lost: dmg storage format --host-list=HOST --replace",
        ),
        reaction="The engine waits, and starts by itself once its storage is formatted.",
    ),
    EventId.ENGINE_DIED: EventWords(
        kind=EventType.STATE_CHANGE,
        severity=Severity.ERROR,
        meaning="The process of an engine has ended without being told to.",
        causes=(
            "it was killed: by the kernel for lack of memory, or by somebody",
            "it failed: exit status and signal are in the message",
            "its storage or its fabric is gone",
        ),
        steps=(
            _STORY,
            _ENGINES,
            _ENGINE_LOG,
            "Look for kills for lack of memory: dmesg -T",
            "Start it: dmg system start --ranks=RANK",
        ),
        reaction="Its rank becomes Errored. Other engines notice its silence and have it excluded; pools rebuild.",
    ),
    EventId.ENGINE_ASSERTED: EventWords(
        kind=EventType.STATE_CHANGE,
        severity=Severity.ERROR,
        meaning="An engine ended because something that must not be was. " + _UNRAISED,
        causes=("a bug, or damaged metadata",),
        steps=(_ENGINE_LOG, "Collect logs and report it: dmg support collect-log"),
        reaction="None; that the process ended is told by engine_died.",
    ),
    EventId.ENGINE_CLOCK_DRIFT: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="The clock of an engine's host differs too much from that of its peers.",
        causes=("time is not synchronised", "somebody has set the clock", "a virtual machine that was suspended"),
        steps=(
            "Synchronise clocks on all hosts: chronyc tracking",
            "Then start the engine anew: dmg system stop --ranks=RANK, dmg system start --ranks=RANK",
        ),
        reaction=_RECORDED + " Requests between engines fail with DER_HLC_SYNC while it lasts.",
    ),
    EventId.ENGINE_SELF_TERMINATED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="An engine has learned that it was excluded, and ends itself so that it can join anew.",
        causes=("it was too slow to answer, or cut off from the others for a while",),
        steps=(
            _STORY,
            "Look for the cause of its silence: load, memory, or the fabric at that time.",
            "If it does not come back by itself: dmg system start --ranks=RANK",
        ),
        reaction="Its server starts it again after a pause, unless disable_engine_auto_restart is set.",
    ),
    EventId.POOL_CORRUPTION_DETECTED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="The scrubber of a pool has found data that do not match their checksum.",
        causes=("a failing SSD or persistent memory", "faulty memory of the host"),
        steps=(
            _DEVICES,
            "If one device shows up again and again, give it up: dmg storage set nvme-faulty",
            _POOL,
        ),
        reaction="Other replicas are used; past the limit in scrub_thresh the target is taken out of the pool.",
    ),
    EventId.POOL_REBUILD_STARTED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="A pool has begun to make redundancy whole again, or to spread data over ranks that are new to it.",
        causes=("ranks were excluded, drained, taken back, or added",),
        steps=("See how far it is: dmg pool query POOL",),
        reaction="The pool serves meanwhile, somewhat slower.",
    ),
    EventId.POOL_REBUILD_FINISHED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="A rebuild of a pool is done.",
        causes=("the end of what pool_rebuild_started told",),
        steps=("Nothing.",),
        reaction=_RECORDED,
    ),
    EventId.POOL_REBUILD_FAILED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A rebuild of a pool could not be finished.",
        causes=("another rank failed meanwhile", "there is no space for what is to be restored", "somebody stopped it"),
        steps=(_POOL, "See space: dmg pool query-targets POOL --rank=RANK", "Begin again: dmg pool rebuild start POOL"),
        reaction="The pool tries again by itself in most cases.",
    ),
    EventId.POOL_REPLICAS_UPDATED: EventWords(
        kind=EventType.STATE_CHANGE,
        severity=Severity.NOTICE,
        meaning="The replicas of a pool's service have changed place, or their leader has.",
        causes=("a rank was excluded or came back", "a new leader was elected"),
        steps=("Nothing. Replicas are shown by: dmg pool list -v",),
        reaction="The management service notes where the replicas are now.",
    ),
    EventId.POOL_DURABLE_FORMAT_INCOMPATIBLE: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A pool on storage has a layout that this release cannot use.",
        causes=("it was made by a much older release, or by a newer one",),
        steps=("Go back to the release that made it, upgrade step by step, and each time: dmg pool upgrade POOL",),
        reaction="The pool is not served on that rank.",
    ),
    EventId.POOL_DESTROY_DEFERRED: EventWords(
        kind=EventType.INFO,
        severity=Severity.WARNING,
        meaning="A part of a destroyed pool is still in use on a rank and is removed later.",
        causes=("something still had it open",),
        steps=("Nothing; if its space is missed, start the engine anew: dmg system stop --ranks=RANK",),
        reaction="The engine removes it as soon as nobody uses it.",
    ),
    EventId.POOL_START_FAILED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A pool could not be started on a rank.",
        causes=("its files are damaged or missing", "a layout that this release does not know", "too little memory"),
        steps=(_ENGINE_LOG, _POOL, "With the system stopped, check the pool: dmg check start POOL"),
        reaction="The pool is served by its other ranks, if redundancy allows.",
    ),
    EventId.CONTAINER_DURABLE_FORMAT_INCOMPATIBLE: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A container has a layout that this release cannot use.",
        causes=("it was made by a much older release, or by a newer one",),
        steps=("Go back to the release that made it, and bring the pool up to date: dmg pool upgrade POOL",),
        reaction="The container cannot be opened.",
    ),
    EventId.RDB_DURABLE_FORMAT_INCOMPATIBLE: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="The database of a pool service has a layout, or an identity, that does not fit.",
        causes=("another release made it", "files were moved between ranks"),
        steps=(_ENGINE_LOG, "See which ranks hold replicas: dmg pool list -v"),
        reaction="That replica does not start; the others go on while they are a majority.",
    ),
    EventId.SWIM_RANK_ALIVE: EventWords(
        kind=EventType.STATE_CHANGE,
        severity=Severity.NOTICE,
        meaning="Engines hear a rank that was silent. " + _UNRAISED,
        causes=("the fabric works again",),
        steps=(_STORY,),
        reaction="None.",
    ),
    EventId.SWIM_RANK_DEAD: EventWords(
        kind=EventType.STATE_CHANGE,
        severity=Severity.NOTICE,
        meaning="Engines have not heard a rank for so long that they take it for dead.",
        causes=(
            "its engine ended: then engine_died tells how",
            "its host is down or overloaded",
            "the fabric between it and the others is broken",
        ),
        steps=(
            _STORY,
            _ENGINES,
            "See the fabric of hosts: dmg network scan",
            "Start it: dmg system start --ranks=RANK",
        ),
        reaction="Its rank becomes Excluded and its pools rebuild, unless system property self_heal forbids.",
    ),
    EventId.SYSTEM_START_FAILED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="dmg system start could not start every rank it was to start.",
        causes=("a host is down", "an engine failed while it was starting"),
        steps=("See which ranks are not up: dmg system query --not-ok -v", _ENGINES),
        reaction=_RECORDED,
    ),
    EventId.SYSTEM_STOP_FAILED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="dmg system stop could not stop every rank it was to stop.",
        causes=("a host does not answer", "an engine does not end in time"),
        steps=("See what still runs: dmg system query -v", "Stop at once: dmg system stop --force"),
        reaction=_RECORDED,
    ),
    EventId.DEVICE_SET_FAULTY: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="An SSD was given up; ERROR instead of NOTICE says that giving it up failed.",
        causes=("an administrator said so", "it made more errors than auto_faulty of daos_server.yml allows"),
        steps=(
            "Put a new SSD in, and let it take the place: dmg storage replace nvme",
            _DEVICES,
        ),
        reaction="Its targets leave their pools, which rebuild.",
    ),
    EventId.DEVICE_MEDIA_ERROR: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="An SSD failed to read, write or free blocks, or data on it do not match their checksum.",
        causes=("a failing SSD", "a bad link or slot"),
        steps=(_DEVICES, "If errors go on, give it up: dmg storage set nvme-faulty"),
        reaction="Past the limits of auto_faulty, where that is on, the engine gives the SSD up.",
    ),
    EventId.DEVICE_UNPLUGGED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="An SSD is gone; ERROR instead of NOTICE says that it was in use.",
        causes=("somebody pulled it out", "it failed so that the bus lost it"),
        steps=("If it was not meant to go, look at the slot.", _DEVICES),
        reaction="Its targets leave their pools, which rebuild.",
    ),
    EventId.DEVICE_PLUGGED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="An SSD was put in.",
        causes=("somebody put it in",),
        steps=(
            "In the place of one that was given up: dmg storage replace nvme",
            "As an additional one: dmg storage nvme-add-device",
        ),
        reaction="It is shown as NEW until it is put to use.",
    ),
    EventId.DEVICE_REPLACE: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="A new SSD has taken the place of one that was given up; ERROR instead of NOTICE says that it failed.",
        causes=("dmg storage replace nvme",),
        steps=("Nothing; if it failed: " + _DEVICES[0].lower() + _DEVICES[1:],),
        reaction="Its targets are taken back into their pools.",
    ),
    EventId.SYSTEM_FABRIC_PROVIDER_CHANGED: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="The provider of the fabric has been changed for the whole system.",
        causes=("provider was changed in daos_server.yml and all servers were started anew",),
        steps=("Start agents and clients anew: they hold addresses of the old provider.",),
        reaction="Servers give clients the new provider.",
    ),
    EventId.ENGINE_JOIN_FAILED: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A rank was refused when it wanted to join the system.",
        causes=(
            "it was excluded by an administrator",
            "its fault domain, its address or its UUID does not fit what the system knows",
            "no replica of the management service answers",
        ),
        steps=(
            "Read the message: it says why.",
            _STORY,
            "If an administrator excluded it: dmg system clear-exclude --ranks=RANK",
        ),
        reaction="The engine ends; its server says why in its log.",
    ),
    EventId.DEVICE_LINK_SPEED_CHANGED: EventWords(
        kind=EventType.INFO,
        severity=Severity.WARNING,
        meaning="The PCIe link of an SSD runs at another speed than before; NOTICE says that it is at its best again.",
        causes=("a bad slot, riser or SSD", "power management"),
        steps=("See link and health: dmg storage scan --nvme-health", "Seat the SSD anew, or use another slot."),
        reaction=_RECORDED,
    ),
    EventId.DEVICE_LINK_WIDTH_CHANGED: EventWords(
        kind=EventType.INFO,
        severity=Severity.WARNING,
        meaning="The PCIe link of an SSD uses another number of lanes; NOTICE says that all are in use again.",
        causes=("a bad slot, riser or SSD",),
        steps=("See link and health: dmg storage scan --nvme-health", "Seat the SSD anew, or use another slot."),
        reaction=_RECORDED,
    ),
    EventId.DEVICE_LED_SET: EventWords(
        kind=EventType.INFO,
        severity=Severity.NOTICE,
        meaning="The LED of an SSD was switched.",
        causes=("dmg storage led identify, or a change of the device's state",),
        steps=("See LEDs: dmg storage led check",),
        reaction=_RECORDED,
    ),
    EventId.ENGINE_LEFT_DOWN: EventWords(
        kind=EventType.INFO,
        severity=Severity.ERROR,
        meaning="A server has given up starting an engine that the system excludes again and again (our own event).",
        causes=("what cuts the engine off has not gone away: the fabric, a clock, or an overloaded host",),
        steps=(_ENGINES, _ENGINE_LOG, "Once the cause is gone: dmg system start --ranks=RANK"),
        reaction="The engine stays down until somebody starts it.",
    ),
}
"""Every event there is."""
