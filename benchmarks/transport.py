"""gRPC alone: CPU time of a server per call with a reply that is ready, ours beside grpcio's.

Both run under the load of the control plane's own benchmark, in turn, as programs of their own: ``python -m
benchmarks.transport KIND PORT [CERTIFICATES]`` is one of them.
"""

import asyncio
import contextlib
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from benchmarks import loads
from benchmarks.processes import listens, until_ready
from benchmarks.report import Figure, Report
from daos_control.net.grpc.server import serve
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import MGMT
from daos_control.security.authority import issue_certificates
from daos_control.security.certificates import Certificates
from daos_control.wire.pb.mgmt import svc_pb2

ROUNDS = 5
HOST = "127.0.0.1"
METHOD = MGMT["GetAttachInfo"]
OURS, GRPCIO = "ours", "grpcio"
GOALS: Mapping[str, float] = {"cold": 0.7, "warm": 0.5, "warm, TLS": 0.6}
"""What ours may cost at most of grpcio's; a TLS handshake is OpenSSL's or BoringSSL's work, not a transport's."""


def run(report: Report) -> None:
    """Measure both servers, without certificates and with."""
    if loads.folder() is None:
        report.section("A gRPC server with a ready reply: left out")
        report.note(f"it needs the load programs, whose folder {loads.FOLDER_VARIABLE} may name")
        return
    report.section(f"A gRPC server with a ready reply, CPU per call: least of {ROUNDS}", "grpcio")
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as scratch:
        certificates = Path(scratch) / "certs"
        issue_certificates(certificates)
        for tls in (None, certificates):
            for mode in ("cold", "warm"):
                name = f"{mode}, TLS" if tls else mode
                ours, theirs = _measure(mode, tls)
                report.add(Figure(name=name, value=ours, unit="ms", reference=theirs, ratio_at_most=GOALS.get(name)))


def _measure(mode: str, certificates: Path | None) -> tuple[float, float]:
    """Return what a call costs ours, and grpcio's; they are loaded in turn, so that both see the same weather."""
    least: dict[str, float] = {}
    calls = 4000 if mode == "warm" else 240 if certificates else 800
    with contextlib.ExitStack() as stack:
        running = {}
        for kind in (OURS, GRPCIO):
            port = _free_port()
            command = [sys.executable, "-m", "benchmarks.transport", kind, str(port)]
            command += [str(certificates)] if certificates else []
            started = stack.enter_context(until_ready(command, lambda port=port: listens((HOST, port))))
            running[kind] = (started.pid, port)
        for _ in range(ROUNDS):
            for kind, (pid, port) in running.items():
                options = ("--pid", str(pid), "--mode", mode, "-n", str(calls))
                found = loads.run("attach_storm", f"{HOST}:{port}", *options, certificates=certificates)
                least[kind] = min(float(found["cpu_ms_per_op"]), least.get(kind, float("inf")))
    return least[OURS], least[GRPCIO]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


# The servers.


async def _serve(kind: str, port: int, folder: Path | None) -> None:
    tls = None
    if folder is not None:
        names = ("daosCA.crt", "server.crt", "server.key")
        authority, certificate, key = ((folder / name).read_bytes() for name in names)
        tls = Certificates(authority=authority, certificate=certificate, key=key)
    reply = svc_pb2.GetAttachInfoResp(ms_ranks=[0], data_version=3)
    reply.rank_uris.add(uri="ofi+tcp://127.0.0.1:31416", num_ctxs=3)
    async with (_ours if kind == OURS else _grpcio)(reply.SerializeToString(), port, tls):
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def _ours(reply: bytes, port: int, tls: Certificates | None) -> AsyncIterator[None]:
    async def answer(_: object, __: Caller) -> bytes:
        return reply

    async with serve({METHOD.path: answer}, host=HOST, port=port, tls=tls):
        yield


@contextlib.asynccontextmanager
async def _grpcio(reply: bytes, port: int, tls: Certificates | None) -> AsyncIterator[None]:
    import os  # noqa: PLC0415

    os.environ["GRPC_SSL_CIPHER_SUITES"] = "AES256-GCM-SHA384"  # read when it is loaded
    import grpc.aio  # noqa: PLC0415

    async def answer(_: bytes, __: object) -> bytes:
        return reply

    class Routes(grpc.GenericRpcHandler):
        def service(self, _: object) -> object:
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Routes(),))
    if tls is None:
        server.add_insecure_port(f"{HOST}:{port}")
    else:
        pair = [(tls.key, tls.certificate)]
        server.add_secure_port(
            f"{HOST}:{port}", grpc.ssl_server_credentials(pair, tls.authority, require_client_auth=True)
        )
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None))
