"""Log masks: what engines are told to be loud about."""

import pytest

from daos_control.engine.logmasks import LogMaskError, merge_subsystems


@pytest.mark.parametrize(
    ("masks", "subsystems", "merged"),
    [
        pytest.param("", "MGMT", "", id="no masks: nothing to fold into"),
        pytest.param("INFO", "", "INFO", id="no subsystems: masks only spelled out"),
        pytest.param("debug", "all", "DBUG", id="all subsystems: masks only spelled out"),
        pytest.param("ERROR", "MGMT", "ERR", id="a quiet base stays quiet"),
        pytest.param("DEBUG", "MGMT,POOL", "ERR,MGMT=DBUG,POOL=DBUG", id="chatter moves to those listed"),
        pytest.param("DEBUG,MGMT=INFO", "MGMT", "ERR,MGMT=INFO", id="an exception of its own wins"),
        pytest.param("DEBUG,MEM=NOTE", "MGMT", "ERR,MGMT=DBUG", id="chatter of others is dropped"),
        pytest.param("DEBUG,MEM=CRIT,RPC=ERR", "MGMT", "ERR,MEM=CRIT,MGMT=DBUG", id="what equals the base is dropped"),
        pytest.param("MGMT=DEBUG", "MGMT", "ERR,MGMT=DBUG", id="without a base it is ERR"),
        pytest.param("FATAL", "MGMT", "EMRG", id="a base above ERR stays"),
    ],
)
def test_merge(masks, subsystems, merged):
    assert merge_subsystems(masks, subsystems) == merged


@pytest.mark.parametrize("masks", ["LOUD", "INFO,MGMT", "INFO,MGMT=LOUD", "INFO,=DEBUG", "INFO,A=B=DEBUG", "INFO,"])
def test_what_is_no_mask_is_refused(masks):
    with pytest.raises(LogMaskError):
        merge_subsystems(masks, "MGMT")
