"""Space of empty pools, as measured on genuine engines."""

import pytest

from daos_control.apps.emulator.space import OBJECT_BYTES, Usage, holding, per_target, usage
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


@pytest.mark.parametrize(
    ("scm", "nvme", "on_ssd", "wanted"),
    [
        (600_000_000, 0, False, (600_002_560, 556_808_000, 0, 0, 600_002_560)),
        (250_000_000, 0, False, (250_003_456, 206_808_896, 0, 0, 250_003_456)),
        (100_000_000, 0, False, (100_003_840, 56_809_280, 0, 0, 100_003_840)),
        (200_000_000, 1_200_000_000, False, (200_003_584, 156_808_256, 1_200_000_000, 1_158_049_792, 200_003_584)),
        (120_000_000, 1_880_000_000, True, (134_217_728, 90_759_592, 1_880_000_000, 1_838_051_328, 134_217_728)),
    ],
)
def test_measured(scm: int, nvme: int, on_ssd: bool, wanted: tuple[int, ...]) -> None:
    total, free, nvme_total, nvme_free, file = wanted
    assert usage(per_target(scm, nvme, scm, 1, on_ssd=on_ssd)) == Usage(
        scm_total=total, scm_free=free, nvme_total=nvme_total, nvme_free=nvme_free, mem_file=file
    )


def test_a_share_is_divided_among_targets() -> None:
    assert per_target(600_000_000, 8 << 30, 0, 2, on_ssd=False).scm == 300_003_328
    assert per_target(600_000_000, 8 << 30, 0, 2, on_ssd=False).nvme == 4 << 30


def test_too_little_for_a_target() -> None:
    with pytest.raises(DaosError) as error:
        per_target(32 << 20, 0, 0, 3, on_ssd=False)
    assert error.value.status == Der.INVAL


def test_the_smallest_pool_still_has_room() -> None:
    found = usage(per_target(16 << 20, 0, 0, 1, on_ssd=False))
    assert 0 < found.scm_free < found.scm_total


def test_data_go_to_nvme_if_there_is_any_and_never_take_more_than_there_is() -> None:
    scm = usage(per_target(1 << 30, 0, 0, 1, on_ssd=False))
    assert holding(scm, 3).scm_free == scm.scm_free - 3 * OBJECT_BYTES
    both = usage(per_target(1 << 30, 1 << 30, 0, 1, on_ssd=False))
    held = holding(both, 3)
    assert (held.scm_free, held.nvme_free) == (both.scm_free, both.nvme_free - 3 * OBJECT_BYTES)
    assert holding(both, 1 << 20).nvme_free == 0
