"""What engines call on this server beside the questions for the management service: being up, and credentials."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daos_control.engine.harness import Harness
from daos_control.engine.ports import RefusedError
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.methods import Method, Sec, Srv
from daos_control.net.drpc.server import Handler, Peer
from daos_control.wire.pb.security import auth_pb2
from daos_control.wire.pb.srv import srv_pb2


class HostUpcalls:
    """Answers engines; ``client_certificates`` is where agents' certificates are, None in insecure mode."""

    def __init__(self, harness: Harness, client_certificates: Path | None) -> None:
        self._harness = harness
        self._client_certificates = client_certificates

    def handlers(self) -> Mapping[Method[Any, Any], Handler]:
        """Return the handlers, by method."""
        return {Srv.NOTIFY_READY: self._notify_ready, Sec.VALIDATE_CREDS: self._validate}

    async def _notify_ready(self, request: srv_pb2.NotifyReadyReq, _: Peer) -> None:
        try:
            self._harness.notify_ready(request)
        except RefusedError as error:
            raise DrpcFailure(Status.FAILURE, str(error)) from error

    async def _validate(self, request: auth_pb2.ValidateCredReq, _: Peer) -> auth_pb2.ValidateCredResp:
        from daos_control.security import credentials  # noqa: PLC0415 - loads cryptography, which many never need

        return await asyncio.to_thread(credentials.validate, request, client_certificates=self._client_certificates)
