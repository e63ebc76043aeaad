"""Breaking things on purpose, for tests of the system checker; only DAOS's fault-injection builds answer."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from google.protobuf import json_format

from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.model.checker import Action, Finding, Inconsistency
from daos_control.wire.convert.checker import finding_from_pb, finding_to_pb
from daos_control.wire.pb.chk import chk_pb2, faults_pb2


class FaultInjection:
    """Ways to break metadata; part of a ``DaosClient``. Pools are named by label or uuid."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pool_service(
        self, pool: str, kind: Inconsistency, *, label: str = "", replicas: Sequence[int] = ()
    ) -> None:
        """Break what a pool's own service keeps, so that the checker finds an inconsistency of this class."""
        await self._connection.ask("FaultInjectPoolFault", _fault(pool, kind, label, replicas))

    async def management_service(
        self, pool: str, kind: Inconsistency, *, label: str = "", replicas: Sequence[int] = ()
    ) -> None:
        """Break what the management service keeps about a pool."""
        await self._connection.ask("FaultInjectMgmtPoolFault", _fault(pool, kind, label, replicas))

    async def finding(self, finding: Finding) -> None:
        """Add a finding to those of the checker, as if an engine had reported it."""
        if finding.kind is Inconsistency.NONE:
            raise InvalidRequest("a finding needs a class")
        await self._connection.ask("FaultInjectReport", finding_to_pb(finding))


def _fault(pool: str, kind: Inconsistency, label: str, replicas: Sequence[int]) -> faults_pb2.Fault:
    fault = faults_pb2.Fault(strings=(pool, label), uints=replicas)
    setattr(fault, "class", int(kind))  # a keyword of the language
    return fault


def read_finding(path: Path) -> Finding:
    """Read a finding from a JSON file with the names that ``dmg check query`` gives its parts."""
    try:
        message = json_format.ParseDict(json.loads(path.read_text(encoding="utf-8")), chk_pb2.CheckReport())
    except OSError as error:
        raise InvalidRequest(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, json_format.ParseError) as error:
        raise InvalidRequest(f"{path} does not hold a finding: {error}") from error
    return finding_from_pb(message)


def sample_finding(kind: Inconsistency) -> Finding:
    """Make a finding of a class up; there is one for POOL_BAD_LABEL."""
    if kind is not Inconsistency.POOL_BAD_LABEL:
        raise InvalidRequest(f"there is no sample of a finding of class {kind.name}: describe one in a file")
    pool = str(uuid4())
    return Finding(
        seq=secrets.randbits(64),
        kind=kind,
        action=Action.INTERACT,
        pool_uuid=pool,
        msg="the pool's label differs between the management service and the pool service",
        choices=(Action.TRUST_MS, Action.TRUST_PS, Action.IGNORE),
        details=("ms-label", "ps-label", ""),
        words=(
            f"give pool {pool} the label that the management service has",
            f"give the management service the label that pool {pool} has",
            "leave the difference",
        ),
    )
