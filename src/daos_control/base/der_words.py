"""What to tell a person about each DER code: what it means, where it usually comes from, and what to do next.

The numbers are DAOS's; the words are ours. Some codes travel between engines and libraries only, and are seen in
logs alone: then the words say so. They describe what DAOS 2.8 does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from daos_control.base.der import Der


@dataclass(frozen=True, slots=True)
class Words:
    """What something means, its usual causes, and what to do next, in this order."""

    meaning: str
    causes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


_INSIDE: Final = "Seen in logs of engines and clients only; retried without anybody's help."
_BUG: Final = "If it comes again, collect logs and report it: dmg support collect-log."
_HEALTH: Final = "Look at the system: dmg system query -v"
_LOGS: Final = "Read the log of the engine that reported it, just before this code."
_NEVER: Final = "Nothing in DAOS 2.8 gives this code; it is kept so that numbers stay what they are."
_MIXED: Final = "Compare the versions of both sides: dmg server-version, daos_agent version, daos version"

WORDS: Final[Mapping[Der, Words]] = {
    Der.SUCCESS: Words("All went well; it is no error.", (), ("Nothing.",)),
    Der.NO_PERM: Words(
        "Whoever asked may not do this.",
        (
            "the access control list of the pool or the container does not let this user or group do it",
            "the certificate of the caller is for another role: dmg needs the admin certificate",
            "a rank that was excluded by an administrator tries to join",
            "a property can be set only while a pool or a container is made",
        ),
        (
            "See who may do what: dmg pool get-acl POOL, or daos container get-acl POOL CONT",
            "Let them: dmg pool update-acl POOL --entry A::USER@:rw",
            "For an excluded rank: dmg system clear-exclude --ranks=RANK",
        ),
    ),
    Der.NO_HDL: Words(
        "A handle of a pool, container, object or transaction is not, or no longer, open.",
        (
            "the handle was closed, or revoked by dmg pool evict or dmg system cleanup",
            "the agent was restarted and took the handles of applications with it",
        ),
        ("Open the pool and the container again, which for most applications means to start them again.",),
    ),
    Der.INVAL: Words(
        "An argument does not make sense to whoever was asked.",
        (
            "a value out of its range, or two that exclude each other",
            "a property that this release does not know",
            "the caller is newer than the server",
        ),
        (
            "See what the command takes: add -h to it",
            _LOGS,
        ),
    ),
    Der.EXIST: Words(
        "What was to be made is there already.",
        ("a pool or container of this label exists", "a request was sent twice because its answer was lost"),
        (
            "See what is there: dmg pool list, or daos container list POOL",
            "Choose another label, or use what is there.",
        ),
    ),
    Der.NONEXIST: Words(
        "What was asked for is not there.",
        (
            "a label or UUID is misspelt",
            "it was removed meanwhile",
            "it is in another system: see name in the configuration file",
        ),
        ("See what is there: dmg pool list, or daos container list POOL",),
    ),
    Der.UNREACH: Words(
        "A rank or a host cannot be reached.",
        (
            "its engine is down, or excluded",
            "the fabric between the two is broken, or both use different providers or interfaces",
            "a firewall drops the ports of the fabric",
        ),
        (
            _HEALTH,
            "See what fabric each host has: dmg network scan",
            "See why a rank is away: dmg system query --explain RANK",
        ),
    ),
    Der.NOSPACE: Words(
        "The storage of at least one target is full.",
        (
            "a pool is created that is larger than what is free on every rank",
            "one target of a pool is full while others are not: data are spread unevenly",
            "space of deleted data has not been taken back yet (property reclaim)",
            "the medium for metadata is full though the one for data is not",
        ),
        (
            "See what is free: dmg storage query usage, dmg pool query POOL",
            "See single targets: dmg pool query-targets POOL --rank=RANK",
            "Remove data, or enlarge the pool: dmg pool extend POOL --ranks=RANKS",
        ),
    ),
    Der.ALREADY: Words(
        "Somebody has done this before; nothing was changed.",
        ("the command was given twice", "a request was sent again because its answer was lost"),
        ("Nothing, if the state is what you want: see it with the matching query command.",),
    ),
    Der.NOMEM: Words(
        "A process found no memory.",
        (
            "the host is short of memory, or of huge pages",
            "the engine has more targets than its memory allows",
            "a limit of the service manager or the container",
        ),
        (
            "See memory and huge pages of the hosts: dmg storage scan -v",
            "Give the engine fewer targets, or the host more memory; see system_ram_reserved in daos_server.yml",
        ),
    ),
    Der.NOSYS: Words(
        "This is not there in the program that was asked.",
        ("the caller is newer than the server", "DAOS was built without it"),
        (_MIXED,),
    ),
    Der.TIMEDOUT: Words(
        "There was no answer in time.",
        (
            "an engine is overloaded, hangs, or has just died",
            "the fabric loses packets",
            "the time is short for what was asked: a rebuild or a large creation",
        ),
        (
            _HEALTH,
            "Look for what engines told: dmg system events --since 1h",
            "Find out whether it was carried out, before you ask again.",
        ),
    ),
    Der.BUSY: Words(
        "It is in use, and cannot be done while it is.",
        (
            "a pool or a container has open handles",
            "another operation on the same thing is under way",
            "a device is being set up or torn down",
        ),
        (
            "Wait, and ask again.",
            "To remove a pool all the same: dmg pool evict POOL, then dmg pool destroy POOL --force",
        ),
    ),
    Der.AGAIN: Words(
        "Not now: the same request may succeed in a moment.",
        ("an engine is starting", "a leader is being elected", "a pool map is being renewed"),
        ("Ask again in some seconds; if it stays so for minutes, look at the system: dmg system query -v",),
    ),
    Der.PROTO: Words(
        "The two sides speak different versions of a protocol.",
        ("programs of different releases", "an engine was upgraded and another was not"),
        (_MIXED,),
    ),
    Der.UNINIT: Words(
        "Something is used before it is set up.",
        (
            "no management service answers: storage has not been formatted, or its host is down",
            "an engine or a module has not finished starting",
            "an application calls the library before daos_init()",
        ),
        (
            "See whether there is a leader: dmg system leader-query",
            "If storage is new: dmg storage format",
        ),
    ),
    Der.TRUNC: Words(
        "The caller's buffer is too short for the answer.",
        ("more keys, ranks or entries than the caller made room for", "versions of caller and server do not match"),
        ("For a program: call again with the size that was given back.", _BUG),
    ),
    Der.OVERFLOW: Words(
        "Something is too long for where it is to be kept.",
        ("a key, value, name or list that is longer than DAOS allows", "a counter has reached its end"),
        ("Use a shorter one.", _BUG),
    ),
    Der.CANCELED: Words(
        "The request was called off before it was answered.",
        ("the peer was excluded, or is shutting down, while requests were on their way", "a program ended"),
        ("Ask again. If it goes on: dmg system events --since 1h", _HEALTH),
    ),
    Der.OOG: Words(
        "The rank is not in the group of engines that the caller knows.",
        (
            "the rank has just joined, and not everybody has heard of it",
            "the caller's list of ranks is old",
            "the rank was excluded",
        ),
        ("Wait some seconds; clients renew their list by themselves.", _HEALTH),
    ),
    Der.HG: Words(
        "The layer that carries requests over the fabric has failed.",
        (
            "an engine died, or a link went down",
            "a provider or an interface that does not fit: FI_ and UCX_ variables, provider in daos_server.yml",
            "too many connections or too little locked memory (ulimit -l)",
        ),
        (
            "See what the hosts have: dmg network scan -p all",
            "See which interface a client was given: daos_agent dump-attachinfo -j, daos_agent net-scan",
            _LOGS,
        ),
    ),
    Der.UNREG: Words(
        "The engine does not know this kind of request, or not in this version.",
        ("programs of different releases", "the engine is stopping, or has not loaded all its modules yet"),
        (_MIXED, "If an engine is starting, wait."),
    ),
    Der.ADDRSTR_GEN: Words("An address of the fabric could not be written as text. " + _NEVER, (), (_BUG,)),
    Der.PMIX: Words("An error of PMIx, which older releases used to find ranks. " + _NEVER, (), (_MIXED,)),
    Der.IVCB_FORWARD: Words(
        "An engine does not hold a shared variable itself and passes the question on. " + _INSIDE,
        ("ordinary work of engines",),
        ("Nothing.",),
    ),
    Der.MISC: Words(
        "An error that has no number of its own. With --json, dmg gives it as status of every such error.",
        ("wrong usage of a command", "a fault: its own number is in the text, as in code = 611"),
        ("Read the text of the error; explain the fault's number instead: dmg explain NUMBER",),
    ),
    Der.BADPATH: Words(
        "A path does not lead to what is expected there.",
        (
            "daos_agent does not run, or its socket is elsewhere: DAOS_AGENT_DRPC_DIR and runtime_dir must agree",
            "daos_server's socket folder is not there",
            "a DAOS path in a file system does not point to a container",
        ),
        ("See whether the agent runs: systemctl status daos_agent", "See its folder: runtime_dir in daos_agent.yml"),
    ),
    Der.NOTDIR: Words(
        "A part of a path is no directory.",
        ("a file stands where a directory is expected",),
        ("Check the path.",),
    ),
    Der.CORPC_INCOMPLETE: Words("A request to many ranks did not reach all of them. " + _NEVER, (), (_HEALTH,)),
    Der.NO_RAS_RANK: Words("Nobody listens to the health of ranks. " + _NEVER, (), (_HEALTH,)),
    Der.NOTATTACH: Words("The client has not attached to a group of servers. " + _NEVER, (), (_BUG,)),
    Der.MISMATCH: Words(
        "Two sides disagree about a version, a size or an identity.",
        (
            "a rank's storage was swapped, so that its UUID differs from the one that the system knows",
            "replicas of a service have different data",
            "something changed between reading and writing it",
        ),
        (
            "For a rank: dmg system query -v shows the UUID that is expected.",
            _LOGS,
        ),
    ),
    Der.EXCLUDED: Words(
        "The rank has been excluded and may not take part.",
        ("others took it for dead: it was too slow, or cut off", "an administrator excluded it"),
        (
            "See how it came to that: dmg system query --explain RANK",
            "Start it again: dmg system start --ranks=RANK; then dmg system reintegrate --ranks=RANK",
        ),
    ),
    Der.NOREPLY: Words(
        "Somebody was asked and ended without an answer.",
        ("daos_agent or daos_server gave an empty answer", "a handler of an engine has a bug"),
        ("Read the log of daos_agent or daos_server at that moment.", _BUG),
    ),
    Der.DOS: Words(
        "The request is turned away to protect who was asked.",
        (
            "an SSD is faulty, being set up or being torn down, and takes no requests",
            "an engine has no memory left for more requests",
        ),
        ("See devices: dmg storage query list-devices --health", "Ask again with fewer requests at once."),
    ),
    Der.BAD_TARGET: Words(
        "A request came to a rank or target that it is not for.",
        ("the address of a rank was given to another engine meanwhile", "a replica was replaced"),
        ("Wait some seconds; clients look ranks up anew.", _HEALTH),
    ),
    Der.GRPVER: Words(
        "The two sides have different versions of the list of ranks.",
        ("ranks have just joined or left",),
        (
            "Wait some seconds: it is retried by itself.",
            "If it stays, compare the map versions of hosts: dmg system events --moves",
        ),
    ),
    Der.HLC_SYNC: Words(
        "The clocks of two hosts are too far apart for the hybrid clock that orders updates.",
        ("no time synchronisation, or a host whose clock was set", "a virtual machine that was suspended"),
        ("Synchronise clocks (chrony, ntpd) on all hosts: chronyc tracking", "Then start the engine again."),
    ),
    Der.NO_SHMEM: Words(
        "There is not enough shared memory for metrics.",
        ("many pools or clients, each with metrics", "left-over segments of processes that ended"),
        ("See what there is: ipcs -m, and the limits: sysctl kernel.shmmax kernel.shmall kernel.shmmni",),
    ),
    Der.ADD_METRIC_FAILED: Words(
        "A metric could not be added; work goes on without it.",
        ("shared memory for metrics is full",),
        ("See what there is: ipcs -m", _BUG),
    ),
    Der.DURATION_MISMATCH: Words("A measurement was ended that was never begun. " + _NEVER, (), (_BUG,)),
    Der.OP_NOT_PERMITTED: Words(
        "This cannot be done to a metric of that kind, such as counting with a gauge of time.",
        ("a bug in the program that measures",),
        (_BUG,),
    ),
    Der.EXCEEDS_PATH_LEN: Words(
        "The path of a metric is too long.",
        ("a long pool label, job name or agent setting in the path",),
        ("Shorten the name that is in it; for clients the job id (DAOS_JOBID).",),
    ),
    Der.METRIC_NOT_FOUND: Words(
        "There is no metric of this name.",
        ("it is misspelt", "the engine has just started", "the pool it belongs to is closed"),
        ("See which there are: dmg telemetry metrics list, or daos_metrics on the host",),
    ),
    Der.SHMEM_PERMS: Words(
        "Shared memory of metrics belongs to another user or group.",
        ("daos_metrics is run by somebody who may not read it", "an engine ran as another user before"),
        ("Run it as the user of the engine, or as root.", "Remove segments of the earlier run: ipcs -m, ipcrm"),
    ),
    Der.HG_FATAL: Words(
        "The layer that carries requests over the fabric has failed for good; sending again does not help.",
        ("the device or the provider of the fabric is gone",),
        ("Check the interface: dmg network scan", "Start the process again; then " + _LOGS[0].lower() + _LOGS[1:]),
    ),
    Der.QUOTA_LIMIT: Words(
        "A limit on requests or memory of the fabric is reached; more are queued or refused.",
        ("very many requests at once",),
        ("Send fewer at once, or raise the limits that engines and clients read (D_QUOTA_RPCS, D_QUOTA_BULKS).",),
    ),
    Der.IO: Words(
        "Reading or writing storage failed.",
        ("an SSD or persistent memory is failing", "a file system below the engine is full or read-only"),
        (
            "See the health of devices: dmg storage query list-devices --health",
            "See kernel messages of the host: dmesg -T",
            "Give a bad SSD up: dmg storage set nvme-faulty",
        ),
    ),
    Der.FREE_MEM: Words("Memory could not be given back. " + _NEVER, (), (_BUG,)),
    Der.ENOENT: Words(
        "There is no such entry.",
        ("a key, file or record that is not there", "it was removed meanwhile"),
        ("Check the name.",),
    ),
    Der.NOTYPE: Words(
        "Data have a type that this program does not know.",
        ("metadata are damaged", "data of a newer release"),
        (_MIXED, "If versions agree, check the pool: dmg check start POOL"),
    ),
    Der.NOSCHEMA: Words(
        "The class of an object is unknown.",
        ("an object class that this release does not have", "the identifier of the object is made up"),
        ("See the classes that there are: daos container create -h", _MIXED),
    ),
    Der.NOLOCAL: Words("An object is not on this target. " + _NEVER, (), ("Nothing.",)),
    Der.STALE: Words(
        "The caller's map of the pool, or its handle, is older than what has happened since.",
        ("ranks were excluded or came back", "a pool's service has moved"),
        ("Nothing: clients fetch the new map and ask again.", _HEALTH),
    ),
    Der.NOTLEADER: Words(
        "The replica that was asked does not lead this service.",
        ("the leader has changed", "there is no leader at the moment"),
        (
            "Nothing: clients look for the leader and ask again.",
            "If it stays: dmg system leader-query, and for a pool dmg pool query POOL",
        ),
    ),
    Der.TGT_CREATE: Words(
        "A target of a pool could not be made. " + _NEVER, (), ("See space: dmg storage query usage",)
    ),
    Der.EP_RO: Words(
        "A snapshot or an old moment of a container cannot be written to.",
        ("an application writes to a snapshot",),
        ("Open the container without a snapshot.",),
    ),
    Der.EP_OLD: Words(
        "The moment that is asked for has been cleaned away.",
        (
            "a transaction or a read took longer than old versions are kept",
            "clocks of client and engine are far apart",
        ),
        ("Do the operation anew.", "Keep a moment for longer by a snapshot: daos container create-snap POOL CONT"),
    ),
    Der.KEY2BIG: Words(
        "A key is longer than DAOS stores.", ("an application makes long keys",), ("Use shorter keys.",)
    ),
    Der.REC2BIG: Words(
        "A value or a record is larger than its place.",
        ("the buffer of the reader is shorter than the value", "the value is larger than DAOS stores"),
        ("For a program: ask for the size first, then read with a buffer of it.",),
    ),
    Der.IO_INVAL: Words(
        "What is to be read or written does not fit the extents that are named.",
        ("an application gives buffers of another total size than its extents",),
        ("Correct the application: sums of both must be equal.",),
    ),
    Der.EQ_BUSY: Words(
        "The event queue still has operations under way. " + _NEVER,
        (),
        ("For a program: poll until the queue is empty, then destroy it.",),
    ),
    Der.DOMAIN: Words(
        "Fault domains do not fit each other. " + _NEVER, (), ("Compare fault_path of all hosts: dmg system query -v",)
    ),
    Der.SHUTDOWN: Words(
        "Who was asked is stopping and takes nothing new.",
        ("an engine or a pool service is being stopped", "an SSD below it is being torn down"),
        (_HEALTH, "Ask again once it is back, or another replica."),
    ),
    Der.INPROGRESS: Words(
        "The same thing is under way.",
        ("a request was sent again before the first one ended", "a transaction is being committed"),
        ("Wait; it is retried by itself.",),
    ),
    Der.NOTAPPLICABLE: Words(
        "That does not apply to the state that things are in.",
        ("a check is to be stopped that does not run", "a shared variable has no value to give yet"),
        ("See the state first: dmg check query for a check, dmg pool query POOL for a pool",),
    ),
    Der.NOTREPLICA: Words(
        "The rank that was asked holds no replica of this service.",
        ("the caller's list of replicas is old", "the pool service has moved"),
        (
            "Nothing: clients find the replicas anew.",
            "See replicas of a pool: dmg pool list -v",
        ),
    ),
    Der.CSUM: Words(
        "Data do not match their checksum.",
        ("storage or memory gave back other bits than were written", "the network changed them on the way"),
        (
            "With redundancy, another replica is read by itself.",
            "See the health of devices: dmg storage query list-devices --health",
            "See whether it was noted: dmg system events --event pool_corruption_detected",
        ),
    ),
    Der.DF_INVAL: Words(
        "What is on storage is not in a format of DAOS.",
        ("the file or device belongs to something else", "it is damaged, or was never formatted"),
        ("Check scm_mount and bdev_list in daos_server.yml.", "Storage that may be wiped: dmg storage format --force"),
    ),
    Der.DF_INCOMPT: Words(
        "Storage has a layout of a release that this one cannot use.",
        ("the pool was made by a much older release, or by a newer one",),
        (
            "Bring a pool up to date while the release that made it is still understood: dmg pool upgrade POOL",
            "Otherwise go back to the release that made it, and copy data away.",
        ),
    ),
    Der.REC_SIZE: Words("A record has another size than others of its array. " + _NEVER, (), (_BUG,)),
    Der.TX_RESTART: Words(
        "A transaction met another one and has to begin again.",
        ("two applications change the same things at once",),
        (
            "Nothing for single operations, which are retried by themselves.",
            "For a program with its own transactions: daos_tx_restart(), and do its operations again.",
        ),
    ),
    Der.DATA_LOSS: Words(
        "Data are gone, or cannot be made whole again from what is left.",
        (
            "more ranks or devices failed than redundancy allows (rd_fac)",
            "data were stored without redundancy",
        ),
        (
            "Bring failed ranks back before anything else; do not format them: dmg system query --explain RANK",
            "See what is degraded: dmg pool query POOL --health-only",
            "What cannot come back has to be restored from a copy.",
        ),
    ),
    Der.OP_CANCELED: Words(
        "An operation was called off.",
        ("a rebuild was stopped by an administrator", "a task of a client was aborted"),
        ("Start it again if it is wanted: dmg pool rebuild start POOL",),
    ),
    Der.TX_BUSY: Words(
        "A transaction on the same data is not decided yet. " + _INSIDE,
        ("two applications change the same things at once",),
        ("Nothing, unless applications hang: then " + _HEALTH[0].lower() + _HEALTH[1:],),
    ),
    Der.AGENT_INCOMPAT: Words(
        "The library of the application and daos_agent do not fit together.",
        ("packages of different releases on this node",),
        ("Compare them: daos_agent version, daos version", "Install the same release of both, start the agent again."),
    ),
    Der.NEED_TX: Words(
        "An engine turns an update into a transaction. " + _INSIDE, ("ordinary work of engines",), ("Nothing.",)
    ),
    Der.RF: Words(
        "More has failed in the pool than the container's redundancy can bear, so it is closed to prevent damage.",
        ("several ranks were excluded before data were rebuilt",),
        (
            "Bring ranks back: dmg system query --explain RANK, then dmg pool reintegrate POOL --ranks=RANKS",
            "Only once the data are known to be good: daos container set-prop POOL CONT --properties=status:healthy",
        ),
    ),
    Der.FETCH_AGAIN: Words(
        "A client reads degraded erasure-coded data once more. " + _INSIDE, ("a rank is away",), ("Nothing.",)
    ),
    Der.TX_UNCERTAIN: Words(
        "Nobody can tell whether a transaction was committed.",
        ("its leader failed at the wrong moment",),
        ("Clients ask other replicas by themselves.", "For a program: look whether the change is there, then go on."),
    ),
    Der.AGENT_COMM: Words(
        "The application could not talk to daos_agent, or the agent could not answer.",
        (
            "daos_agent does not run or hangs",
            "its socket is elsewhere: DAOS_AGENT_DRPC_DIR",
            "the agent reaches no server",
        ),
        (
            "See whether it runs: systemctl status daos_agent",
            "See whether it reaches servers: daos_agent dump-attachinfo",
        ),
    ),
    Der.ID_MISMATCH: Words(
        "What is found has another identity than what is looked for.",
        ("storage was moved between hosts or engines", "a pool's files were restored from elsewhere"),
        ("Check that each engine has its own devices: dmg storage query list-devices", _LOGS),
    ),
    Der.TGT_RETRY: Words(
        "A client turns to another target of a degraded object. " + _INSIDE, ("a rank is away",), ("Nothing.",)
    ),
    Der.NOTSUPPORTED: Words(
        "DAOS, or this storage, cannot do that.",
        (
            "the layout of the pool is older than the feature: see UpgradeNeeded? of dmg pool list",
            "hardware or class of storage does not have it, such as LEDs of emulated SSDs",
        ),
        ("Upgrade the pool if its layout is old: dmg pool upgrade POOL",),
    ),
    Der.CONTROL_INCOMPAT: Words(
        "Two programs of the control plane are of releases that do not work together.",
        ("dmg, daos_agent or a daos_server was upgraded and others were not",),
        (_MIXED, "Install the same release everywhere."),
    ),
    Der.NO_SERVICE: Words(
        "The service of this pool does not run here, because it failed to start.",
        ("its replica is damaged, or has a layout that this release does not know",),
        (
            "See why: dmg system events --event pool_start_failed",
            _LOGS,
            "Check the pool with the system stopped: dmg check start POOL",
        ),
    ),
    Der.TX_ID_REUSED: Words(
        "A request that was sent again is too old to be told from a new one.",
        ("a client was paused for long, then went on",),
        ("For a program: look whether the change is there, then do it anew.",),
    ),
    Der.UPDATE_AGAIN: Words(
        "A client sends an update once more. " + _INSIDE, ("a rank is being rebuilt",), ("Nothing.",)
    ),
    Der.NVME_IO: Words(
        "An SSD failed to read or write.",
        ("it is failing, was unplugged, or its link went down",),
        (
            "See its health: dmg storage query list-devices --health",
            "See what was noted: dmg system events --event device_media_error,device_unplugged",
            "Give it up, then put a new one in: dmg storage set nvme-faulty, dmg storage replace nvme",
        ),
    ),
    Der.NO_CERT: Words(
        "A certificate or key cannot be read.",
        ("it is not there, or this user may not read it", "the paths in daos_agent.yml are wrong"),
        ("Check cert, key and ca_cert below transport_config.", "Related faults: dmg explain 901 902"),
    ),
    Der.BAD_CERT: Words(
        "A certificate is not valid.",
        ("it has expired, or is not valid yet because clocks differ", "it was issued by another authority"),
        (
            "See its dates: openssl x509 -noout -dates -issuer -in FILE",
            "Issue new ones, place them on all hosts, start the programs again.",
        ),
    ),
    Der.VOS_PARTIAL_UPDATE: Words(
        "One transaction overwrites a part of what it has just written, which arrays do not allow.",
        ("an application updates overlapping extents at once",),
        ("Correct the application: write overlapping extents one after another.",),
    ),
    Der.CHKPT_BUSY: Words(
        "Metadata are being written to their SSD and cannot be changed for a moment. " + _INSIDE,
        ("a checkpoint of a pool that keeps metadata on SSDs",),
        ("Nothing; if it slows work down, see checkpoint, checkpoint_freq and checkpoint_thresh of the pool.",),
    ),
    Der.DIV_BY_ZERO: Words(
        "A pipeline of filters divided by zero.",
        ("a condition or an aggregation of an application meets such data",),
        ("Correct the pipeline.",),
    ),
    Der.OVERLOAD_RETRY: Words(
        "A target has too much to do and asks to be left alone for a moment.",
        ("many clients at one target", "a rebuild runs beside them"),
        ("Nothing: clients wait and ask again.", "See whether a rebuild runs: dmg pool query POOL"),
    ),
    Der.NOT_RESUME: Words(
        "A former check cannot be gone on with. " + _NEVER,
        (),
        ("Begin anew: dmg check start --reset",),
    ),
    Der.CONT_NONEXIST: Words(
        "There is no such container.",
        ("it was removed while something still used it", "its label or UUID is misspelt"),
        ("See which there are: daos container list POOL",),
    ),
    Der.CONT_DESTROYING: Words(
        "The container is being removed.",
        ("somebody has destroyed it while others used it",),
        ("Wait until it is gone: daos container list POOL",),
    ),
    Der.IGNORE: Words("An engine passes over an entry. " + _INSIDE, ("ordinary work of engines",), ("Nothing.",)),
}
"""Every code there is."""
