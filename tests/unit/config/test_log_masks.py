import pytest

from daos_control.config.log_masks import check_masks, check_streams, check_subsystems


@pytest.mark.parametrize("masks", ["", "INFO", "debug", "ERR,mgmt=DBUG,RPC=crit", "MGMT=DEBUG", "FATAL,EXTERNAL=EMIT"])
def test_good_masks(masks):
    check_masks(masks)


@pytest.mark.parametrize(
    ("masks", "why"),
    [
        ("LOUD", 'no log level "LOUD"'),
        ("ERR,", "names no subsystem"),
        ("ERR,INFO", "names no subsystem"),
        ("ERR,MGMT=LOUD", 'no log level "LOUD"'),
        ("ERR,NOBODY=DEBUG", 'no subsystem "NOBODY"'),
        ("ALL=DEBUG", "ALL takes no level"),
        ("ERR,A=B=DEBUG", 'no subsystem|has other|"A=B"'),
        ("ERR MGMT=DEBUG", "other characters"),
        ("ERR," + ",".join(["MGMT=DEBUG"] * 100), "bytes are too many"),
    ],
)
def test_bad_masks_say_why(masks, why):
    with pytest.raises(ValueError, match=why):
        check_masks(masks)


def test_streams_and_subsystems():
    check_streams("")
    check_streams("md,GROUP_DEFAULT")
    check_subsystems("all")
    check_subsystems("VOS,mgmt")
    with pytest.raises(ValueError, match='no debug stream "VOS"'):
        check_streams("VOS")
    with pytest.raises(ValueError, match="ALL stands for every subsystem"):
        check_subsystems("VOS,ALL")
