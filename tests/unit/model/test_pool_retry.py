"""What passes by itself, and what does not."""

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.model.pool_retry import passes_by_itself


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (DaosError(Der.AGAIN), True),
        (DaosError(Der.EXCLUDED), True),
        (DaosError(Der.BUSY), False),
        (DaosError(Der.NOSPACE), False),
        (FaultCode.SYSTEM_POOL_LOCKED.fault(pool="p", lock="l", since="now"), True),
        (FaultCode.SERVER_POOL_NO_LABEL.fault(), False),
        (DaosControlError("anything else"), False),
    ],
    ids=str,
)
def test_only_what_is_for_now_is_worth_another_try(error: DaosControlError, passes: bool) -> None:
    assert passes_by_itself(error) is passes
