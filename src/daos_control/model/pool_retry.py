"""Which failures of a request about a pool pass by themselves, as clients of DAOS 2.8 see it: worth another try."""

from typing import Final

from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, Fault
from daos_control.base.fault_codes import FaultCode

STATUSES: Final = frozenset({Der.TIMEDOUT, Der.GRPVER, Der.AGAIN, Der.OOG, Der.UNREACH, Der.EXCLUDED})
FAULTS: Final = frozenset({FaultCode.SERVER_DATA_PLANE_NOT_STARTED, FaultCode.SYSTEM_POOL_LOCKED})


def passes_by_itself(error: DaosControlError) -> bool:
    """Whether what an engine or the management service says of a pool is only for now."""
    if isinstance(error, Fault):
        return error.code in FAULTS
    return isinstance(error, DaosError) and error.status in STATUSES
