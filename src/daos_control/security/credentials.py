"""Credentials of client applications: agents vouch for them, servers check that an agent did.

A token says who the client is (AuthSys: names of user and groups). Its verifier is the agent's signature over the
token's bytes, or in insecure mode a mere hash. Tokens carry no time: who has one can use it again.
"""

import hmac
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError
from daos_control.security.certificates import CertificateError
from daos_control.security.tokens import Sign, hash_token, signed_bytes
from daos_control.wire.pb.security.auth_pb2 import Credential, ValidateCredReq, ValidateCredResp

log = logs.get(__name__)

_SIGNING = PSS(MGF1(SHA512()), PSS.MAX_LENGTH)  # as genuine agents sign; they and servers verify with any salt
_VERIFYING = PSS(MGF1(SHA512()), PSS.AUTO)


def signer(key: bytes) -> Sign:
    """Return a function that signs tokens with an RSA key (PEM); raises CertificateError for any other."""
    try:
        # It is our own, and somebody has matched it with our certificate: whether its numbers are prime takes a
        # fifth of a second to find out and tells us nothing.
        private = load_pem_private_key(key, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"no private key that can sign credentials: {error}") from error
    if not isinstance(private, RSAPrivateKey):
        raise CertificateError("only RSA keys can sign credentials")
    return lambda token: private.sign(signed_bytes(token), _SIGNING, SHA512())


def validate(request: ValidateCredReq, *, client_certificates: Path | None) -> ValidateCredResp:
    """Decide whether a credential is genuine, and echo its token if so.

    ``client_certificates`` is the directory of those whose signatures count: possession of a key to a certificate in
    it is what is trusted, not the certificate's chain or dates. None stands for insecure mode.
    """
    credential = request.cred
    if not (request.HasField("cred") and credential.HasField("token") and credential.HasField("verifier")):
        log.error("incomplete credential")
        return ValidateCredResp(status=Der.INVAL)
    if client_certificates is None:
        genuine = hmac.compare_digest(hash_token(credential.token), credential.verifier.data)
    else:
        from daos_control.security.chains import read_client_certificate  # noqa: PLC0415 - agents have no use for it

        try:
            certificate = read_client_certificate(client_certificates, credential.origin)
        except DaosControlError as error:
            log.error(f"cannot check a credential: {error}", origin=credential.origin)
            return ValidateCredResp(status=Der.NO_CERT)
        genuine = _verify(certificate.public_key(), credential)
    if not genuine:
        log.error("credential is not genuine", origin=credential.origin)
        return ValidateCredResp(status=Der.NO_PERM)
    return ValidateCredResp(token=credential.token)


def _verify(key: object, credential: Credential) -> bool:
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(credential.verifier.data, signed_bytes(credential.token), _VERIFYING, SHA512())
    except InvalidSignature:
        return False
    return True
