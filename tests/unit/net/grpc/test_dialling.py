"""Reaching a host by its name and by its numbers."""

import asyncio
import socket
import subprocess
import sys

import pytest

from daos_control.net.grpc import dialling

PROGRAM = """
import asyncio, sys
from daos_control.net.grpc.dialling import connect
asyncio.run(connect(sys.argv[1], allow_proxy=False)).close()
print(*sys.modules)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_hosts_are_reached(host: str) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connected = await dialling.connect(f"{host}:{port}", allow_proxy=False)
        assert connected.getpeername() == ("127.0.0.1", port)
        connected.close()


def test_an_address_in_numbers_takes_no_thread_and_no_tables_of_names() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-c", PROGRAM, address]
        loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.split()
    assert not {"concurrent.futures.thread", "encodings.idna"} & set(loaded)


@pytest.mark.parametrize("address", ["node1", "node1:x", ":10001", "nödchen:10001", "1.2.3:99999"])
async def test_what_is_no_address(address: str) -> None:
    with pytest.raises(socket.gaierror):
        await dialling.connect(address, allow_proxy=False)
