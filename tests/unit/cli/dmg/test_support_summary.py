"""What dmg support collect-log says of all that could not be collected."""

from daos_control.cli.dmg.support import Failure, summed_up
from daos_control.client.errors import HostError


def test_a_host_that_does_not_answer_is_one_row() -> None:
    dead = [Failure("h3", title, HostError("refused")) for title in ("ControlLog", "dmesg", "df  -h", "mount")]
    other = Failure("h[1-2]", "dmesg", HostError("not permitted"))
    assert summed_up([dead[0], other, *dead[1:]]) == [
        ("h3", "ControlLog and 3 other steps", "refused"),
        ("h[1-2]", "dmesg", "not permitted"),
    ]
    assert summed_up(dead[:3]) == [("h3", "ControlLog, dmesg, df -h", "refused")]
