"""Installs Prometheus and configures it: files are replaced whole or not at all, and what was there is kept beside."""

import hashlib
import os
import shutil
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Final

import yaml

from daos_control.telemetry.prometheus import CHECKSUMS, PROGRAM, PrometheusError, Release, checksum_of, configured

LATEST: Final = "https://api.github.com/repos/prometheus/prometheus/releases/latest"
SILENCE_S: Final = 10.0
_PIECE: Final = 1 << 18
_SMALL: Final = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was done."""

    program: Path
    config: Path
    backup: Path | None = None
    """What the configuration was before, if it was another."""
    changed: bool = True


class Downloads:
    """Gets files from the web; ``stop`` ends it from another thread."""

    def __init__(self, *, latest: str = LATEST, through_proxy: bool = False) -> None:
        """``through_proxy`` heeds the proxies that the environment names."""
        self._latest = latest
        proxies = urllib.request.ProxyHandler() if through_proxy else urllib.request.ProxyHandler({})
        self._opener = urllib.request.build_opener(proxies)
        self._stopped = False

    def stop(self) -> None:
        """Let the download end at its next piece."""
        self._stopped = True

    def latest(self) -> Release:
        """Return the latest release. Raises PrometheusError."""
        return Release.parse(self.small(self._latest))

    def small(self, url: str) -> bytes:
        """Return a small file. Raises PrometheusError."""
        with tempfile.TemporaryFile() as file:
            self.into(url, file, most=_SMALL)
            file.seek(0)
            return file.read()

    def into(self, url: str, file: IO[bytes], *, most: int = 1 << 31) -> str:
        """Write a file's bytes, and return their SHA-256 sum. Raises PrometheusError."""
        digest, length = hashlib.sha256(), 0
        try:
            with self._opener.open(url, timeout=SILENCE_S) as answer:
                while piece := answer.read(_PIECE):
                    length += len(piece)
                    if self._stopped or length > most:
                        why = "somebody has stopped it" if self._stopped else "it is too long"
                        raise PrometheusError(f"{url} was not read to its end: {why}")
                    digest.update(piece)
                    file.write(piece)
        except urllib.error.HTTPError as error:
            raise PrometheusError(f"{url} answers {error.code} {error.reason}") from error
        except (OSError, HTTPException, ssl.SSLError) as error:
            reason = getattr(error, "reason", error)
            text = getattr(reason, "strerror", None) or reason
            raise PrometheusError(f"{url} cannot be read: {text}") from error
        return digest.hexdigest()


def find_program(folder: Path, path: str | None = None) -> Path | None:
    """Return the Prometheus that is in PATH, or was installed in the folder."""
    found = shutil.which(PROGRAM, path=path) or shutil.which(PROGRAM, path=str(folder))
    return Path(found) if found else None


def check_folder(folder: Path) -> None:
    """Raise PrometheusError unless a program can be put there."""
    if not folder.is_dir():
        raise PrometheusError(f"there is no folder {folder} to install into: make it first")
    if not os.access(folder, os.W_OK):
        raise PrometheusError(f"nothing can be installed in {folder}: this user may not write there")


def install(folder: Path, downloads: Downloads, tell: Callable[[str], None]) -> Path:
    """Download the latest release, check it, and put its program into the folder. Raises PrometheusError."""
    try:
        release = downloads.latest()
        asset = release.for_machine()
        tell(f"Downloading {asset.name} from {asset.url}")
        with tempfile.TemporaryFile() as packed:
            found = downloads.into(asset.url, packed)
            sums = release.assets.get(CHECKSUMS)
            wanted = checksum_of(asset.name, downloads.small(sums.url).decode()) if sums else asset.sha256
            if wanted and found != wanted:
                raise PrometheusError(f"{asset.name} is not what was released: SHA-256 {found} instead of {wanted}")
            tell("Its SHA-256 sum is right" if wanted else "The release tells no sum to check it with")
            packed.seek(0)
            return _unpack(packed, folder)
    except PrometheusError as error:
        raise PrometheusError(
            f"{error}; without a way to the internet, put the program {PROGRAM} into {folder} or PATH by hand "
            "(https://prometheus.io/download), then repeat this command"
        ) from error


def _unpack(packed: IO[bytes], folder: Path) -> Path:
    try:
        with tarfile.open(fileobj=packed, mode="r:gz") as tar:
            for member in tar:
                if member.isfile() and Path(member.name).name == PROGRAM and (content := tar.extractfile(member)):
                    return _replace(folder / PROGRAM, content, 0o755)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PrometheusError(f"the release cannot be unpacked: {error}") from error
    raise PrometheusError(f"the release holds no program {PROGRAM}")


def configure(config: Path, program: Path, targets: Iterable[str], now: datetime) -> Setup:
    """Have a configuration gather from these targets; a copy of what it was is left beside. Raises PrometheusError."""
    before = _load(config)
    try:
        after = configured(before, targets)
    except PrometheusError as error:
        raise PrometheusError(f"{config} is left as it is: {error}") from error
    if before == after:
        return Setup(program=program, config=config, changed=False)
    backup = None
    if before is not None:
        backup = config.with_name(f"{config.name}.{now:%Y%m%d-%H%M%S}")
        shutil.copy2(config, backup)
    with tempfile.TemporaryFile() as text:
        text.write(yaml.safe_dump(after, sort_keys=False).encode())
        text.seek(0)
        _replace(config, text, 0o644)
    return Setup(program=program, config=config, backup=backup)


def _load(config: Path) -> dict[str, Any] | None:
    try:
        present = yaml.safe_load(config.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError) as error:
        raise PrometheusError(f"{config} is left as it is: it cannot be read: {error}") from error
    if present is not None and not isinstance(present, dict):
        raise PrometheusError(f"{config} is left as it is: it is no configuration of Prometheus")
    return present or {}


def _replace(path: Path, content: IO[bytes], mode: int) -> Path:
    """Put a file in place of another, or where there was none, all at once."""
    place = path.resolve()
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
        try:
            shutil.copyfileobj(content, file, _PIECE)
            Path(file.name).chmod(mode)
            Path(file.name).replace(place)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise
    return path
