"""Certificate files of a program: where they are, how open they may be, and what was read from them.

Symbolic links are followed and owners do not matter. Nothing of cryptography is needed to know this much.
"""

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode

KEY_MODE = 0o400
"""Permissions of a daemon's key."""
ADMIN_KEY_MODE = 0o440
"""Permissions of an administrator's key, which a group may share."""
CERTIFICATE_MODE = 0o664


class CertificateError(DaosControlError):
    """Something is wrong with a certificate file that has no fault number; the text says what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where a program's certificates are, as in ``transport_config``."""

    ca_cert: Path
    cert: Path
    key: Path
    client_cert_dir: Path | None = None
    """Certificates of clients whose credentials a server accepts; None for other programs."""
    key_mode: int = KEY_MODE
    """The most permissions that the key file may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What a program shows to others and judges them by, in PEM."""

    authority: bytes
    certificate: bytes
    key: bytes
    files: CertificateFiles | None = field(default=None, compare=False)
    """Where they were read; None if they come from elsewhere."""
    is_checked: bool = field(default=True, compare=False)
    """Whether they were found good when they were read; if not, they are looked at when something fails."""


def check_listable(folder: Path) -> None:
    """Raise unless the folder of client certificates can be listed."""
    try:
        os.listdir(folder)  # noqa: PTH208 - whether it can be listed is all we want to know
    except PermissionError as error:
        raise FaultCode.SECURITY_UNREADABLE_CERT_FILE.fault(path=folder) from error
    except OSError as error:
        raise CertificateError(
            f"the directory of client certificates {folder} cannot be listed: {error.strerror}; "
            "create it, or correct client_cert_dir"
        ) from error


def read(path: Path, most: int) -> bytes:
    """Return the content of a file that has no permissions beyond ``most``; raises what ``load`` raises."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CertificateError(f"{path} is not a regular file: transport_config has to name the file itself")
        mode = stat.S_IMODE(status.st_mode)
        if mode & ~most:
            raise CertificateError(
                f"{path} has permissions {mode:04o}, which is more than {most:04o} allows; run: chmod {most:o} {path}"
            )
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FaultCode.SECURITY_MISSING_CERT_FILE.fault(path=path) from error
    except PermissionError as error:
        raise FaultCode.SECURITY_UNREADABLE_CERT_FILE.fault(path=path) from error
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "unknown error")
        raise CertificateError(f"{path} cannot be read: {reason}") from error
