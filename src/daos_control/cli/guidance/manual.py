"""What the manual pages and the reference tell beside the tables of commands: files, variables, exit codes, examples.

It is not loaded by commands; only help, ``manpage`` and the generator of the reference look at it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Facts:
    """What is to be known of a program as a whole; rows are a name and what it is."""

    __slots__ = ("description", "environment", "exit_codes", "files", "section")

    def __init__(
        self,
        section: int,
        description: str,
        *,
        exit_codes: Sequence[tuple[str, str]],
        files: Sequence[tuple[str, str]],
        environment: Sequence[tuple[str, str]],
    ) -> None:
        self.section = section
        self.description = description
        self.exit_codes = exit_codes
        self.files = files
        self.environment = environment


_COMPLETION = ("GO_FLAGS_COMPLETION", "If set, the program prints what could come next on its command line, and ends.")
_SCRUB = ("DAOS_DISABLE_PROXY_SCRUB", "If true, proxy variables are heeded, as with --allow-proxy.")
_PROXIES = ("http_proxy, https_proxy, no_proxy", "Heeded with --allow-proxy only.")
_OK = ("0", "All went well, or help was asked for.")

FACTS: Mapping[str, Facts] = {
    "dmg": Facts(
        8,
        "dmg is the administrator's command. It asks the management service of a DAOS system, or the control servers "
        "of single hosts, and prints tables for people or, with --json, one document for programs. It needs no "
        "privileges of the operating system, but the administrator's certificate unless the system runs without.",
        exit_codes=(
            _OK,
            ("1", "Something failed, if only on one host or for one pool; standard error says what and what to do."),
            ("130", "It was interrupted. What had been sent may still be carried out."),
        ),
        files=(
            ("~/.daos_control.yml", "The user's configuration; it is looked for first."),
            ("/etc/daos/daos_control.yml", "The configuration of everybody else."),
            (
                "/etc/daos/certs/admin.crt, admin.key, daosCA.crt",
                "Certificates, unless the configuration names others.",
            ),
        ),
        environment=(
            ("DAOS_CONTROL_CONFIG", "Names the configuration, if --config-path does not."),
            ("NO_COLOR", "If set, nothing is coloured."),
            _SCRUB,
            _PROXIES,
            _COMPLETION,
        ),
    ),
    "daos_server": Facts(
        8,
        "daos_server runs the engines of a storage host and, on hosts that mgmt_svc_replicas names, the management "
        "service of the whole system. Its other commands look at the host it is called on, and need no server to run.",
        exit_codes=(_OK, ("1", "Something failed; standard error says what and what to do.")),
        files=(
            ("/etc/daos/daos_server.yml", "The configuration."),
            ("/var/run/daos_server/", "Sockets, and the configuration in use."),
            ("/etc/daos/certs/server.crt, server.key, daosCA.crt", "Certificates, unless others are configured."),
        ),
        environment=(
            ("DAOS_HELPER_LOG_FILE", "Where daos_server_helper logs; daos_server sets it."),
            _SCRUB,
            _PROXIES,
            _COMPLETION,
        ),
    ),
    "daos_agent": Facts(
        8,
        "daos_agent stands between the DAOS applications of a node and the storage system: it tells them where engines "
        "are and vouches for who they are. Without a command it starts.",
        exit_codes=(_OK, ("1", "Something failed; standard error says what.")),
        files=(
            ("/etc/daos/daos_agent.yml", "The configuration."),
            ("/var/run/daos_agent/daos_agent.sock", "Where applications find it, unless runtime_dir says otherwise."),
            ("/etc/daos/certs/agent.crt, agent.key, daosCA.crt", "Certificates, unless others are configured."),
        ),
        environment=(
            ("DAOS_AGENT_DISABLE_CACHE", "If true, nothing is kept between requests."),
            ("DAOS_AGENT_DISABLE_OFI_CACHE", "If true, the host's interfaces are looked at for each request."),
            ("NOTIFY_SOCKET", "Where systemd is told that the agent is ready."),
            _SCRUB,
            _PROXIES,
            _COMPLETION,
        ),
    ),
    "daos_lab": Facts(
        1,
        "daos_lab brings up a whole DAOS system on one machine, to learn, to develop and to test: several storage "
        "hosts with emulated or genuine engines, an agent, certificates, and a first pool. All of it is in one folder.",
        exit_codes=(_OK, ("1", "Something failed; standard error says what.")),
        files=(("./.daos_lab", "The lab, unless --dir or DAOS_LAB_DIR names another folder."),),
        environment=(("DAOS_LAB_DIR", "The folder of the lab."), _COMPLETION),
    ),
}

_OLD = "5bd91603-d3c7-4fb7-9a71-76bc25690c19"
_NEW = "80c9f1be-84b9-4318-a1be-c416c96ca48b"

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "dmg explain": (
        ("What does this number mean?", "dmg explain -1007"),
        ("A line copied from a log", "dmg explain 'server: code = 611 description = \"...\"'"),
        ("Everything that has to do with certificates", "dmg explain certificate"),
    ),
    "dmg completion": (
        ("For this bash", "source <(dmg completion bash)"),
        ("For every fish from now on", "dmg completion fish > ~/.config/fish/completions/dmg.fish"),
    ),
    "dmg system query": (
        ("Is everything up?", "dmg system query"),
        ("Who is not, and why", "dmg system query --not-ok --verbose"),
        ("What happened to rank 3, and what brings it back", "dmg system query --explain=3"),
    ),
    "dmg system engines": (("Engines of two ranks", "dmg system engines --ranks=3,7"),),
    "dmg system events": (
        ("The last hour", "dmg system events --since=1h"),
        ("What goes wrong, as it happens", "dmg system events --severity=error --follow"),
    ),
    "dmg system leader-query": (("Who leads?", "dmg system leader-query"),),
    "dmg system stop": (("Stop the engines of one host", "dmg system stop --rank-hosts=node7"),),
    "dmg system start": (("Start what is stopped", "dmg system start"),),
    "dmg system exclude": (("Keep a rank out while its host is mended", "dmg system exclude --ranks=5"),),
    "dmg system clear-exclude": (("Let it join again", "dmg system clear-exclude --ranks=5"),),
    "dmg system drain": (("Empty ranks before they are taken away", "dmg system drain --ranks=4-7"),),
    "dmg system reintegrate": (("Take a rank back into all its pools", "dmg system reintegrate --ranks=5"),),
    "dmg system cleanup": (("Close what a crashed client left open", "dmg system cleanup client12"),),
    "dmg system set-attr": (("Note something", "dmg system set-attr contact:ops@example.com,rack:B4"),),
    "dmg system set-prop": (("Do not rebuild by itself", "dmg system set-prop 'self_heal:exclude;pool_exclude'"),),
    "dmg system get-prop": (("One property", "dmg system get-prop self_heal"),),
    "dmg pool create": (
        ("A pool of a terabyte on all ranks", "dmg pool create --size=1TB tank"),
        ("All there is on four ranks", "dmg pool create --size=100% --ranks=0-3 tank"),
        ("With less redundancy", "dmg pool create --size=1TB --properties=rd_fac:1,scrub:lazy tank"),
        ("What would come of it?", "dmg pool create --size=1TB --dry-run tank"),
    ),
    "dmg pool plan": (("How large can a pool be?", "dmg pool plan"),),
    "dmg pool list": (("With sizes of each tier", "dmg pool list --verbose"),),
    "dmg pool query": (("Health and space", "dmg pool query tank"),),
    "dmg pool query-targets": (("Targets 0 and 1 of rank 2", "dmg pool query-targets tank --rank=2 --target-idx=0,1"),),
    "dmg pool destroy": (("With all its containers", "dmg pool destroy --recursive tank"),),
    "dmg pool evict": (("Make clients let go of it", "dmg pool evict tank"),),
    "dmg pool extend": (("Onto two more ranks", "dmg pool extend tank --ranks=8,9"),),
    "dmg pool exclude": (("Without a broken target", "dmg pool exclude tank --ranks=3 --target-idx=5"),),
    "dmg pool drain": (("Off a rank, safely", "dmg pool drain tank --ranks=3"),),
    "dmg pool reintegrate": (("Back onto it", "dmg pool reintegrate tank --ranks=3"),),
    "dmg pool get-acl": (("Into a file, to edit it", "dmg pool get-acl tank --outfile=tank.acl"),),
    "dmg pool overwrite-acl": (("From that file", "dmg pool overwrite-acl tank --acl-file=tank.acl"),),
    "dmg pool update-acl": (("Let a user read and write", "dmg pool update-acl tank --entry=A::alice@:rw"),),
    "dmg pool delete-acl": (("And not any more", "dmg pool delete-acl tank --principal=u:alice@"),),
    "dmg pool set-prop": (("Scrub it now and then", "dmg pool set-prop tank scrub:timed,scrub_freq:86400"),),
    "dmg pool get-prop": (("Two properties", "dmg pool get-prop tank rd_fac,reclaim"),),
    "dmg pool upgrade": (("After an upgrade of DAOS", "dmg pool upgrade tank"),),
    "dmg container set-owner": (("Give it to somebody", "dmg container set-owner tank results --user=alice"),),
    "dmg storage scan": (
        ("What do the hosts have?", "dmg storage scan"),
        ("How well are their SSDs?", "dmg storage scan --host-list=node[1-4] --nvme-health"),
    ),
    "dmg storage format": (
        ("New hosts", "dmg storage format --host-list=node[1-4]"),
        ("A host whose storage was lost, under its old ranks", "dmg storage format --host-list=node3 --replace"),
    ),
    "dmg storage query usage": (("What is left for data", "dmg storage query usage --show-usable"),),
    "dmg storage query list-devices": (("Health of devices", "dmg storage query list-devices --health"),),
    "dmg storage set nvme-faulty": (
        (
            "Give an SSD up",
            f"dmg storage set nvme-faulty --host=node3 --uuid={_OLD}",
        ),
    ),
    "dmg storage replace nvme": (
        (
            "Put the new one in its place",
            f"dmg storage replace nvme --host=node3 --old-uuid={_OLD} --new-uuid={_NEW}",
        ),
    ),
    "dmg storage led identify": (
        ("Find an SSD in the rack", "dmg storage led identify --host-list=node3 0000:81:00.0 --timeout=10"),
    ),
    "dmg network scan": (("Interfaces for one provider", "dmg network scan --provider=ofi+tcp"),),
    "dmg config generate": (
        (
            "For four hosts, of which one has the management service",
            "dmg config generate --host-list=node[1-4] --ms-replicas=node1",
        ),
    ),
    "dmg server set-logmasks": (
        ("Look closer at the pool service", "dmg server set-logmasks --host-list=node3 --masks=POOL=DEBUG,ERR"),
        ("Back to what is configured", "dmg server set-logmasks"),
    ),
    "dmg check start": (
        ("Look, and change nothing", "dmg check start --dry-run"),
        ("One pool, with a policy", "dmg check start --policies=POOL_BAD_LABEL:TRUST_MS tank"),
    ),
    "dmg check set-policy": (("Ask about labels", "dmg check set-policy POOL_BAD_LABEL:INTERACT"),),
    "dmg check repair": (("Take the first option for a finding", "dmg check repair 0x1a 0"),),
    "dmg check query": (("How far is it, and what was found?", "dmg check query --verbose"),),
    "dmg support collect-log": (
        ("Everything, packed", "dmg support collect-log --target-folder=/tmp/for-support --archive"),
        ("Logs of two days", "dmg support collect-log --start-date=2026-01-30 --end-date=2026-01-31"),
    ),
    "dmg telemetry config": (("With Prometheus in a folder of its own", "dmg telemetry config --install-dir=/opt"),),
    "dmg telemetry metrics list": (("What is there", "dmg telemetry metrics list --host=node3"),),
    "dmg telemetry metrics query": (
        ("One metric", "dmg telemetry metrics query --host=node3 --metrics=engine_uptime_seconds"),
    ),
    "daos_server start": (("In the foreground", "daos_server start --config=/etc/daos/daos_server.yml"),),
    "daos_server doctor": (("Before the first start", "daos_server doctor"),),
    "daos_server config generate": (
        ("A configuration for this host", "daos_server config generate --ms-replicas=node1 > daos_server.yml"),
    ),
    "daos_server ms backup": (("Every night", "daos_server ms backup --path=/backup/daos-ms.db"),),
    "daos_server network scan": (("For every provider", "daos_server network scan --provider=all"),),
    "daos_agent dump-attachinfo": (("Does the agent reach the servers?", "daos_agent dump-attachinfo"),),
    "daos_agent doctor": (("Why do applications not connect?", "daos_agent doctor"),),
    "daos_agent net-scan": (("What could clients use here?", "daos_agent net-scan"),),
    "daos_lab up": (
        ("Three hosts, two engines each", "daos_lab up"),
        ("Something smaller, without certificates", "daos_lab up --hosts=1 --engines=1 --insecure"),
    ),
    "daos_lab sim": (("Two thousand ranks", "daos_lab sim --ranks=2048"),),
    "daos_lab kill": (("Lose rank 2", "daos_lab kill 2"),),
    "daos_lab env": (("Let plain dmg use the lab", 'eval "$(daos_lab env)"'),),
}
"""By command: what an example is for, and its line."""
