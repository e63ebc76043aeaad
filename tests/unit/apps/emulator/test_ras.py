"""Events as they stand in recordings."""

import re

from daos_control.apps.emulator import ras
from daos_control.base.rankset import NIL_RANK


def test_a_dead_rank() -> None:
    event = ras.rank_dead(1, 2975013633926627328)
    assert (event.id, event.type, event.severity, event.rank, event.incarnation) == (17, 1, 3, 1, 2975013633926627328)
    assert event.msg == "SWIM marked rank as dead."
    assert event.WhichOneof("extended_info") is None


def test_moved_replicas() -> None:
    event = ras.replicas_updated(1, "p", (0, 1), 2)
    assert (event.id, event.type, list(event.pool_svc_info.svc_reps), event.pool_svc_info.version) == (10, 1, [0, 1], 2)


def test_a_rebuild() -> None:
    event = ras.rebuild(ras.Event.REBUILD_STARTED, 1, "p", 2, "Rebuild")
    assert (event.id, event.msg, event.str_info) == (7, "Pool rebuild started.", "map_ver: [2] op: [Rebuild]")


def test_no_rank_and_long_texts() -> None:
    event = ras.event(21, "x" * 200, rank=None)
    assert event.rank == NIL_RANK
    assert len(event.msg) == 127
    assert event.msg.endswith("x$")


def test_the_form_of_timestamps() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4}", ras.timestamp(1795397016.446905))
