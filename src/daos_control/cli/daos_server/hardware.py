"""This host's hardware: ``daos_server network scan``, ``dump-topology``, and ``config generate`` of it."""

import sys
from dataclasses import replace
from pathlib import Path

from daos_control.cli.daos_server.edge import PROGRAM, Document, command, optional_configuration, plain_command
from daos_control.cli.flags import Values


@plain_command
def config_generate(values: Values) -> None:
    """Print the configuration that this host's hardware calls for."""
    import socket

    from daos_control.cli.local.hardware import local_hardware
    from daos_control.cli.shared_verbs.config_generate import configuration_text, wishes_of
    from daos_control.config.generation import generate

    wishes = wishes_of(values, lambda text: print(f"NOTICE: {text}", file=sys.stderr))
    if wishes.provider.lower() == "all":
        wishes = replace(wishes, provider="")
    generated = generate(wishes, local_hardware(Path(values.root)))
    source = socket.gethostname() if values.root == "/" else values.root
    text = configuration_text(generated, program=PROGRAM, source=source, explain=bool(values.explain))
    print(text, end="")


@command
def network_scan(values: Values) -> Document:
    """List what the local network interfaces are good for."""
    from daos_control.cli.local.fabric import local_document, local_fabric, local_view

    fabric = local_fabric(values.provider or _configured_provider(values), Path(values.root))
    if not values.json:
        print(local_view(fabric))
    return local_document(fabric)


@command
def dump_topology(values: Values) -> Document:
    """Print how this host hangs together."""
    from daos_control.cli.local.topology import dump_topology

    return dump_topology(values)


def _configured_provider(values: Values) -> str:
    """Return the configured provider; without a configuration, none."""
    config = optional_configuration(values)
    return config.provider if config else ""
