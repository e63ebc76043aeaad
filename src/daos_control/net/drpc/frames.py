"""dRPC packets: one message is cut into chunks, each a packet of a SEQPACKET socket. No sockets here, only bytes.

A packet is a 24-byte header in the machine's byte order and the chunk's data::

    total_data_size  u64   bytes of the whole message, the same in every chunk
    chunk_data_size  u64   bytes of data in this packet
    chunk_idx        u32   0, 1, 2, ...
    total_chunks     u32   the same in every chunk

An empty message is normal (a reply "success, nothing to say" to call number 0) and travels as one packet without
data. Chunks of two messages are never interleaved on one connection.
"""

import struct
from collections.abc import Iterator
from enum import Enum

from daos_control.net.drpc.errors import FrameError

HEADER = struct.Struct("=QQII")
MAX_PACKET = 1 << 17
"""Bytes of the largest packet, and hence of the buffer a reader must offer."""
MAX_DATA = MAX_PACKET - HEADER.size
MAX_MESSAGE = 16 << 20
"""Bytes of the largest message we take. The protocol has no limit; the largest real ones (a group map) need 45 bytes
per engine."""


class Rules(Enum):
    """Whose judgement of odd packets to follow: the two original implementations differ."""

    GO = "daos_server, daos_agent"
    C = "daos_engine, libdaos"


def encode(message: bytes) -> Iterator[bytes]:
    """Cut a message into packets.

    >>> [len(packet) for packet in encode(bytes(MAX_DATA + 1))]
    [131072, 25]
    >>> [packet.hex() for packet in encode(b"")]
    ['000000000000000000000000000000000000000001000000']
    """
    size = len(message)
    if size <= MAX_DATA:
        yield HEADER.pack(size, size, 0, 1) + message
        return
    total = -(-size // MAX_DATA)
    for index in range(total):
        data = message[index * MAX_DATA : (index + 1) * MAX_DATA]
        yield HEADER.pack(size, len(data), index, total) + data


class Assembler:
    """Puts packets together to messages; holds at most one unfinished message, and only what was received of it.

    After a FrameError the connection is out of step: the caller drops it.
    """

    def __init__(self, *, max_message: int = MAX_MESSAGE, rules: Rules = Rules.GO) -> None:
        self._max_message = max_message
        self._rules = rules
        self._size = 0
        self._total = 0
        self._index = 0
        self._data = bytearray()

    @property
    def idle(self) -> bool:
        """True between messages, where a peer may close without anything being lost."""
        return self._index == 0

    def feed(self, packet: bytes) -> bytes | None:
        """Take one packet; return the message it completes, or None if more chunks are to come."""
        if len(packet) < HEADER.size:
            raise FrameError(f"packet of {len(packet)} bytes is shorter than the {HEADER.size}-byte header")
        size, data_size, index, total = HEADER.unpack_from(packet)
        if total == 0 and self._rules is Rules.GO:
            total = 1
        self._check(len(packet), size, data_size, index, total)
        data = packet[HEADER.size : HEADER.size + data_size]
        if index == 0 and data_size == size and (total == 1 or self._rules is Rules.C):
            return data
        if index == 0:
            self._size, self._total = size, total
        self._data += data
        self._index += 1
        received = len(self._data)
        if self._finished(received):
            if received != self._size:
                raise FrameError(f"message of {self._size} bytes arrived with {received}")
            message = bytes(self._data)
            self._data = bytearray()
            self._index = 0
            return message
        return None

    def _finished(self, received: int) -> bool:
        if self._rules is Rules.C:
            return received == self._size
        return self._index == self._total

    def _check(self, packet_size: int, size: int, data_size: int, index: int, total: int) -> None:
        if data_size > packet_size - HEADER.size:
            raise FrameError(f"chunk claims {data_size} bytes of data in a packet of {packet_size}")
        if total == 0 or index >= total:
            raise FrameError(f"chunk {index} of {total}")
        if index != self._index:
            raise FrameError(f"chunk {index} where {self._index} was due")
        if index == 0:
            # Senders may cut smaller chunks than they could, but not more of them than there are bytes.
            if size > self._max_message or total > max(size, 1):
                raise FrameError(f"message of {size} bytes in {total} chunks; at most {self._max_message} are taken")
        elif total != self._total:
            raise FrameError(f"number of chunks changed from {self._total} to {total}")
        elif size != self._size and self._rules is Rules.GO:
            raise FrameError(f"message size changed from {self._size} to {size}")
        expected = size if index == 0 else self._size
        if len(self._data) + data_size > expected:
            raise FrameError(f"{len(self._data) + data_size} bytes where {expected} were announced")
