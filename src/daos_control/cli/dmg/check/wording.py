"""The words of the checker that its documents and its texts share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from daos_control.client.checker import PoolCheck
from daos_control.model.checker import CheckFlag, CheckPhase, Finding

PHASES: Final[Mapping[CheckPhase, str]] = {
    CheckPhase.PREPARE: "getting ready",
    CheckPhase.POOL_LIST: "comparing the pools on record with those on storage",
    CheckPhase.POOL_MBS: "comparing pool maps and service replicas with storage",
    CheckPhase.POOL_CLEANUP: "tidying up pools",
    CheckPhase.CONT_LIST: "comparing the containers on record with those on storage",
    CheckPhase.CONT_CLEANUP: "tidying up containers",
    CheckPhase.DTX_RESYNC: "settling distributed transactions",
    CheckPhase.OBJ_SCRUB: "verifying checksums of objects",
    CheckPhase.REBUILD: "rebuilding objects",
    CheckPhase.AGGREGATION: "aggregating old versions",
    CheckPhase.DONE: "there is nothing left to check",
}
FLAGS: Final[Mapping[CheckFlag, str]] = {
    CheckFlag.DRY_RUN: "dry-run",
    CheckFlag.RESET: "reset",
    CheckFlag.FAILOUT: "failout",
    CheckFlag.AUTO: "auto",
    CheckFlag.FIND_ORPHANS: "find-pool-orphans",
    CheckFlag.NO_FAILOUT: "reset-failout",
    CheckFlag.NO_AUTO: "reset-auto",
}
"""The names that flags have in documents."""


def flags_text(flags: CheckFlag) -> str:
    """Name flags."""
    return ",".join(name for flag, name in FLAGS.items() if flag in flags) or "none"


def moment(seconds: int) -> str:
    """Write a moment since the epoch in local time."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="milliseconds")


def pool_status(pool: PoolCheck) -> str:
    """Name the state of a pool's check."""
    return f"CPS_{pool.status.name}" if pool.status.known else pool.status.name


def pool_phase(pool: PoolCheck) -> str:
    """Name what is done to a pool."""
    return f"CSP_{pool.phase.name}" if pool.phase.known else pool.phase.name


def resolution(finding: Finding) -> str:
    """Say what was done about a finding."""
    return finding.action.name + (f": {finding.words[0]}" if len(finding.words) == 1 else "")
