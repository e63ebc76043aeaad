"""What a verifier speaks of, and the verifier that needs no key; light, for programs that go without certificates."""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from daos_control.wire.pb.security.auth_pb2 import Token

Sign: TypeAlias = Callable[[Token], bytes]
"""Makes a verifier's data from a token."""


def signed_bytes(token: Token) -> bytes:
    """Return what a verifier speaks of: the token in canonical form, fields unknown to us included."""
    return token.SerializeToString(deterministic=True)


def hash_token(token: Token) -> bytes:
    """Make the verifier of insecure mode, which anybody can make."""
    return hashlib.sha512(signed_bytes(token)).digest()
