"""Every gRPC method: its path, its messages, and who may call it.

``MGMT["Join"]`` and ``CTL["StorageScan"]`` look a method up. Messages are loaded when the first method of a service is
asked for, and not before: a command that talks to one service does not pay for the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from daos_control.security.components import ALLOWED, CTL_SERVICE, MGMT_SERVICE, Component

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor


@dataclass(frozen=True, slots=True)
class Method:
    """A method as both sides need it; a key for tables, too."""

    path: str
    """Full name, ``/mgmt.MgmtSvc/Join``."""
    request: type[Message]
    reply: type[Message]
    allowed: frozenset[Component]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The last part of the path, ``Join``."""
        return self.path.rpartition("/")[2]


class Service(Mapping[str, Method]):
    """The methods of one service, by name."""

    def __init__(self, module: str, prefix: str) -> None:
        self._module = module
        self.prefix = prefix

    def __getitem__(self, name: str) -> Method:
        return self._methods[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    @cached_property
    def _methods(self) -> dict[str, Method]:
        services: Mapping[str, Any] = import_module(self._module).DESCRIPTOR.services_by_name
        service = services[self.prefix.strip("/").rpartition(".")[2]]
        return {method.name: self._method(method) for method in service.methods}

    def _method(self, descriptor: "MethodDescriptor") -> Method:
        path = self.prefix + descriptor.name
        return Method(
            path,
            GetMessageClass(descriptor.input_type),
            GetMessageClass(descriptor.output_type),
            ALLOWED.get(path, frozenset()),
        )


MGMT = Service("daos_control.wire.pb.mgmt.mgmt_pb2", MGMT_SERVICE)
"""The system's own service: whoever leads, and its replicas, answer."""

CTL = Service("daos_control.wire.pb.ctl.ctl_pb2", CTL_SERVICE)
"""Every storage host's service."""

SERVICES = (MGMT, CTL)


def find(path: str) -> Method | None:
    """Return the method of this full path."""
    for service in SERVICES:
        if path.startswith(service.prefix):
            return service.get(path.removeprefix(service.prefix))
    return None
