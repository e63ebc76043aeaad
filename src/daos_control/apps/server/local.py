"""An engine of this host with the storage under it: what several servicers need to know together."""

from dataclasses import dataclass

from daos_control.base.units import GIB, MIB
from daos_control.engine.command import parse_assignments
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.host.storage.scm import EngineScm

_RDB_CAP = "DAOS_MD_CAP"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """One engine and its RAM disk."""

    supervisor: EngineSupervisor
    scm: EngineScm

    @property
    def index(self) -> int:
        """Its place in the configuration."""
        return self.supervisor.index

    @property
    def rdb_bytes(self) -> int | None:
        """What the pool service's database may take; None if it is configured as what is no number."""
        cap = parse_assignments(self.supervisor.settings.env_vars).get(_RDB_CAP)
        if not cap:
            return GIB
        return int(cap) * MIB if cap.isdigit() else None
