"""``daos_agent support collect-log``: what a client node can tell."""

import socket
from pathlib import Path

from daos_control.base import logs
from daos_control.base.logs import Level
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.collect_log import collect_here, run_ours, target_folder
from daos_control.config.agent import FILE_NAME, AgentConfig
from daos_control.host.support import steps
from daos_control.host.support.collector import Collector, Sources

PROGRAM = "daos_agent"

log = logs.get(__name__)


def collect(values: Values) -> None:
    """Collect for support."""
    level = Level.TRACE if values.debug else Level.NOTICE
    logs.configure(program=PROGRAM, level=level, json=values.json_logging)
    if values.transfer_args:
        log.notice("an agent has no program to transfer with: --transfer-args does nothing here")
    config = AgentConfig.find(values.config_path)
    target = target_folder(values, of="client")
    print(f"Support logs will be copied to {target}")
    sources = Sources.of_agent(config, config.path or Path(FILE_NAME), host=socket.gethostname())
    collector = Collector(sources, run=run_ours)
    collect_here(collector, steps.agent_items(extra=bool(values.extra_logs_dir)), values, target=target)
