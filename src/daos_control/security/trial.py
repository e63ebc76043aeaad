"""A handshake of a program with itself: the quick way to know that its certificates are good.

It takes milliseconds of OpenSSL, which asyncio has loaded anyway. The library that can say what is wrong
(``security.chains``) takes a tenth of a second to load, which a command that talks to a server for as long need not
spend as long as nothing is wrong.
"""

import ssl
from contextlib import suppress

from daos_control.security.certificate_files import CertificateFiles


def passes(files: CertificateFiles) -> bool:
    """Tell whether the key belongs to the certificate, and whoever trusts the authority trusts it, now."""
    try:
        return _shake_hands(files)
    except OSError:  # ssl.SSLError is one; a file that cannot be read is another
        return False


def _shake_hands(files: CertificateFiles) -> bool:
    """Let the program be both ends; the server's judges the certificate, as a client's."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    accepting = _end(ssl.PROTOCOL_TLS_SERVER, files)
    accepting.load_verify_locations(files.ca_cert)
    accepting.verify_mode = ssl.CERT_REQUIRED
    accepting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the authority's own issuer need not be known
    connecting = _end(ssl.PROTOCOL_TLS_CLIENT, files)
    connecting.check_hostname = False
    connecting.verify_mode = ssl.CERT_NONE
    server = accepting.wrap_bio(to_server, to_client, server_side=True)
    client = connecting.wrap_bio(to_client, to_server)
    for end in (client, server, client):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    server.do_handshake()
    return bool(server.getpeercert())


def _end(protocol: int, files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.load_cert_chain(files.cert, files.key, password="")  # or it would ask for one
    return context
