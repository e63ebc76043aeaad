"""What Prometheus needs so that it gathers DAOS's metrics: which file of a release to get, and what to configure.

Nothing here touches files or the network.
"""

import json
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from daos_control.base.errors import DaosControlError

JOB: Final = "daos"
INTERVAL: Final = "5s"
PROGRAM: Final = "prometheus"
CHECKSUMS: Final = "sha256sums.txt"
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class PrometheusError(DaosControlError):
    """Prometheus cannot be installed or configured; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of a release."""

    name: str
    url: str
    sha256: str = ""
    """As the release's description has it, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of Prometheus, as GitHub describes it."""

    tag: str
    assets: Mapping[str, Asset]

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a description. Raises PrometheusError."""
        try:
            document = json.loads(text)
            assets = [
                Asset(
                    name=str(asset["name"]),
                    url=str(asset["browser_download_url"]),
                    sha256=str(asset.get("digest") or "").removeprefix("sha256:"),
                )
                for asset in document["assets"]
            ]
            return cls(tag=str(document["tag_name"]), assets={asset.name: asset for asset in assets})
        except (ValueError, TypeError, KeyError) as error:
            raise PrometheusError(
                f"the description of Prometheus's latest release makes no sense: {error!r}"
            ) from error

    def for_machine(self, machine: str = "") -> Asset:
        """Return the file for a machine, or this one. Raises PrometheusError."""
        kind = f"linux-{_MACHINES.get(machine or platform.machine(), machine or platform.machine())}"
        found = [name for name in self.assets if name.startswith(f"{PROGRAM}-") and name.endswith(f".{kind}.tar.gz")]
        if not found:
            raise PrometheusError(f"Prometheus {self.tag} has no file for {kind}")
        return self.assets[found[0]]


def checksum_of(name: str, sums: str) -> str:
    r"""Return a file's SHA-256 sum from a list of them, empty if it is not there.

    >>> checksum_of("b", f"{'0' * 64}  a\n{'1' * 64}  b\n")[:4]
    '1111'
    """
    for line in sums.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == name and _SHA256.fullmatch(words[0]):
            return words[0]
    return ""


def configured(present: Mapping[str, Any] | None, targets: Iterable[str]) -> dict[str, Any]:
    """Return a configuration that gathers from these targets; everything else that is there stays.

    Raises PrometheusError if what is there is not a configuration.
    """
    document = dict(present or {"global": {"scrape_interval": "15s"}})
    jobs = document.get("scrape_configs") or []
    if not isinstance(jobs, list) or not all(isinstance(job, Mapping) for job in jobs):
        raise PrometheusError("its scrape_configs is not a list of jobs")
    ours = {"job_name": JOB, "scrape_interval": INTERVAL, "static_configs": [{"targets": sorted(targets)}]}
    others = [job for job in jobs if job.get("job_name") != JOB]
    return document | {"scrape_configs": [*others, ours]}
