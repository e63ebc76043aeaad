"""Mutual TLS as genuine DAOS programs need it: what both ends demand, and the encryption itself without a socket.

Every server of a system presents the same certificate, made out to the name ``server`` and not to any host. Clients
look for that name and not for the address they dialled, and what keeps a client from posing as a server is the name,
too. Genuine programs speak TLS 1.2 with one cipher; between two of ours it is TLS 1.3.
"""

import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from daos_control.security.components import Component

if TYPE_CHECKING:
    from daos_control.security.certificates import Certificates

GENUINE_CIPHER: Final = "AES256-GCM-SHA384"
"""The one cipher of DAOS 2.8's programs; those of TLS 1.3 need not be named."""
PROTOCOL: Final = "h2"
_PIECE: Final = 64 << 10


class NotTrusted(ssl.SSLError):
    """The peer's certificate is good, but not that of the party we meant, or it does not speak HTTP/2."""


def server_context(certificates: "Certificates") -> ssl.SSLContext:
    """Demand a certificate of our authority from every client. Raises ssl.SSLError if ours cannot be used."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificates)
    # Genuine clients never resume a session, nor do ours: connections are kept instead. Tickets would be made and sent
    # for nothing.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols([PROTOCOL])
    return context


def client_context(certificates: "Certificates") -> ssl.SSLContext:
    """Trust servers of our authority, and show who we are. Raises ssl.SSLError if our certificate cannot be used."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, certificates)
    context.set_alpn_protocols([PROTOCOL])
    return context


def _context(protocol: int, certificates: "Certificates") -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the authority's own issuer need not be known
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(GENUINE_CIPHER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    with _file(certificates.authority) as path:
        context.load_verify_locations(path)
    with _file(certificates.certificate) as certificate, _file(certificates.key) as key:
        context.load_cert_chain(certificate, key, password="")  # or it would ask a person for one
    return context


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """Make a file in memory of what has been read and judged already: OpenSSL takes keys from files alone."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


class Tunnel:
    """One end of an encrypted connection: turns what comes from the network into what was said, and back."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "has_ended", "is_open")

    def __init__(self, context: ssl.SSLContext) -> None:
        is_server = context.protocol == ssl.PROTOCOL_TLS_SERVER
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name: Any = None if is_server else Component.SERVER.value.encode()  # text would load tables of other alphabets
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=is_server, server_hostname=name)
        self.is_open = False
        """Whether the handshake is over."""
        self.has_ended = False
        """Whether the peer has said that it sends no more."""

    def begin(self) -> None:
        """Have ``output`` open the handshake, as a client does."""
        self._shake_hands()

    def receive(self, data: bytes) -> bytes:
        """Return what the peer said. Raises ssl.SSLError; what ``output`` then returns tells the peer why."""
        self._incoming.write(data)
        if not self.is_open and not self._shake_hands():
            return b""
        said = []
        try:
            while self._incoming.pending or self._tls.pending():
                piece = self._tls.read(_PIECE)
                if not piece:
                    self.has_ended = True
                    break
                said.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.has_ended = True
        return said[0] if len(said) == 1 else b"".join(said)

    def send(self, data: bytes) -> None:
        """Have ``output`` say this to the peer."""
        self._tls.write(data)

    def output(self) -> bytes:
        """Return what is to go to the network now."""
        return self._outgoing.read()

    def close(self) -> None:
        """Have ``output`` say that we send no more."""
        if self.is_open:
            with suppress(ssl.SSLError):  # it would wait for the peer's word, or there is nobody any more
                self._tls.unwrap()

    @property
    def speaks_http2(self) -> bool:
        """Whether both ends agreed on HTTP/2."""
        return self._tls.selected_alpn_protocol() == PROTOCOL

    @property
    def peer(self) -> "Subject":
        """Who the peer's certificate says it is."""
        encoded = self._tls.getpeercert(binary_form=True)
        subject = _subjects.get(encoded)
        if subject is None:
            if len(_subjects) >= _MOST_SUBJECTS:
                _subjects.clear()
            subject = _subjects[encoded] = Subject((self._tls.getpeercert() or {}).get("subject", ()))
        return subject

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.is_open = True
        return True


class Subject:
    """Whom a certificate is made out to."""

    __slots__ = ("_attributes",)

    def __init__(self, attributes: Any) -> None:
        self._attributes: Sequence[Sequence[tuple[str, str]]] = attributes

    @property
    def common_name(self) -> str:
        """The common name; empty if there is none, or are several."""
        names = [value for group in self._attributes for name, value in group if name == "commonName"]
        return names[0] if len(names) == 1 else ""

    def __str__(self) -> str:
        """Write it as ``CN=admin,O=DAOS`` (RFC 2253), most particular first."""
        return ",".join(
            "+".join(f"{_SHORT.get(name, name)}={_escaped(value)}" for name, value in group)
            for group in reversed(self._attributes)
        )


_SHORT: Final = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "domainComponent": "DC",
    "userId": "UID",
}


def _escaped(value: str) -> str:
    plain = "".join(f"\\{char}" if char in ',+"\\<>;' else char for char in value)
    if plain.startswith(("#", " ")):
        plain = f"\\{plain}"
    if plain.endswith(" ") and len(value) > 1:
        plain = f"{plain[:-1]}\\ "
    octets = plain.encode()
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:02X}" for octet in octets)


_subjects: dict[bytes | None, Subject] = {}
"""Subjects read before, by certificate: a system has three, however many hosts."""
_MOST_SUBJECTS: Final = 64


def check_server(tunnel: Tunnel) -> None:
    """Raise NotTrusted unless the peer is a server of our system, which speaks HTTP/2."""
    if not tunnel.speaks_http2:
        raise NotTrusted("it does not agree on HTTP/2")
    name = tunnel.peer.common_name
    if name != Component.SERVER:
        raise NotTrusted(f"its certificate is made out to {name or 'nobody'!r} and not to {Component.SERVER.value!r}")
