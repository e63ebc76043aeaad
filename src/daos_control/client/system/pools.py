"""How something went that was done to all pools of a system."""

from dataclasses import dataclass
from typing import Self

from daos_control.wire.pb.mgmt import system_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedPool:
    """What cleaning up after a machine did to one pool."""

    pool_id: str
    status: int
    message: str
    count: int
    """Handles that were evicted."""

    @classmethod
    def from_pb(cls, result: system_pb2.SystemCleanupResp.CleanupResult) -> Self:
        """Read what a reply says of one pool."""
        return cls(pool_id=result.pool_id, status=result.status, message=result.msg, count=result.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildResult:
    """Whether a pool took the request to start or stop rebuilding."""

    id: str
    op_code: int
    errored: bool
    message: str

    @classmethod
    def from_pb(cls, result: system_pb2.PoolRebuildManageResult) -> Self:
        """Read what a reply says of one pool."""
        return cls(id=result.id, op_code=result.op_code, errored=result.errored, message=result.msg)
