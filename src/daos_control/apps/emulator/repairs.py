"""What the checker does about inconsistencies: each repair makes one side believe the other."""

import msgspec

from daos_control.apps.emulator import properties
from daos_control.apps.emulator.engine import DestroyShard, Engine
from daos_control.apps.emulator.inconsistency import Trouble
from daos_control.apps.emulator.pool import ChangeTargets, Command, PoolRecord, SetProperties, decide
from daos_control.apps.emulator.pool_map import Operation
from daos_control.apps.emulator.services import Nothing, Write
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.shared import check_engine_pb2


class Repairs:
    """The repairs of one engine's checker."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def carry_out(self, seq: int, trouble: Trouble, action: int) -> None:
        """Do what was decided about a trouble; raises DaosError."""
        if action == chk_pb2.CIA_IGNORE:
            return
        if trouble.pretended is not None:
            if trouble.pretended.status:
                raise DaosError(trouble.pretended.status)
            self._engine.mend(trouble.pretended)
            return
        match trouble.kind, action:
            case chk_pb2.CIC_POOL_NONEXIST_ON_ENGINE, _:
                await self._deregister(seq, trouble.pool)
            case chk_pb2.CIC_POOL_NONEXIST_ON_MS, chk_pb2.CIA_DISCARD:
                await self._destroy(trouble.pool)
            case chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM, chk_pb2.CIA_DISCARD:
                await self._destroy(trouble.pool)
                await self._deregister(seq, trouble.pool)
            case _ if trouble.record is not None:
                await self._repair_record(seq, trouble, trouble.record, action)
            case _:
                raise DaosError(Der.NOTSUPPORTED)

    async def _deregister(self, seq: int, pool: str) -> None:
        await self._engine.upcalls.check_deregister(check_engine_pb2.CheckDeregPoolReq(seq=seq, uuid=pool))

    async def _destroy(self, pool: str) -> None:
        await self._engine.ask_all(list(self._engine.group.members), DestroyShard(pool), Nothing)

    async def _repair_record(self, seq: int, trouble: Trouble, record: PoolRecord, action: int) -> None:
        """Make the pool service know better, or the management service what the pool service knows."""
        rank = trouble.rank or 0
        match trouble.kind, action:
            case chk_pb2.CIC_POOL_BAD_LABEL, chk_pb2.CIA_TRUST_MS:
                await self._dictate(record, SetProperties({properties.LABEL: trouble.label}))
            case chk_pb2.CIC_ENGINE_NONEXIST_IN_MAP, _:
                await self._engine.ask_all([rank], DestroyShard(trouble.pool), Nothing)
            case chk_pb2.CIC_ENGINE_HAS_NO_STORAGE, _:
                exclude = ChangeTargets(operation=Operation.EXCLUDE, rank=rank, force=True, whole_rank=True)
                await self._dictate(record, exclude)
            case chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM, _:
                record = msgspec.structs.replace(record, replicas=tuple(trouble.replicas))
                await self._dictate(record, None)
                await self._register(seq, record)
            case _:
                await self._register(seq, record)

    async def _register(self, seq: int, record: PoolRecord) -> None:
        await self._engine.upcalls.check_register(
            check_engine_pb2.CheckRegPoolReq(
                seq=seq,
                uuid=record.uuid,
                label=str(record.properties[properties.LABEL]),
                svcreps=record.replicas,
            )
        )

    async def _dictate(self, record: PoolRecord, command: Command | None) -> None:
        """Write a record into its replicas without asking for a majority: there is no pool service while checking."""
        after = record if command is None else decide(record, command).record
        after = msgspec.structs.replace(after, term=record.term + 1, revision=record.revision + 1)
        await self._engine.ask_all(list(after.replicas), Write(after), Nothing)
