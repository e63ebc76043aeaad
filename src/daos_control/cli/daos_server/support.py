"""``daos_server support collect-log``: this host's part, without a server that runs."""

import socket
from dataclasses import replace
from pathlib import Path

from daos_control.base import logs
from daos_control.base.logs import Level
from daos_control.cli.daos_server.edge import PROGRAM, configuration, plain_command
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.collect_log import collect_here, target_folder
from daos_control.config.server import FILE_NAME
from daos_control.host.support import steps
from daos_control.host.support.collector import Collector, Sources
from daos_control.host.support.steps import Item, Step
from daos_control.telemetry.exporter import engine_page


@plain_command
def collect_log(values: Values) -> None:
    """Collect for support."""
    level = Level.TRACE if values.debug else Level.NOTICE
    logs.configure(program=PROGRAM, level=level, json=values.json_logging)
    config = configuration(values)
    target = target_folder(values, of="server")
    print(f"Support logs will be copied to {target}")
    sources = Sources.of_server(config, config.path or Path(FILE_NAME), host=socket.gethostname())
    sources = replace(sources, metrics=engine_page)
    items = steps.server_items(values.log_type, extra=bool(values.extra_logs_dir))
    if values.transfer_args:
        items = (*items, Item(Step.TRANSFER))
    collect_here(Collector(sources), items, values, target=target)
