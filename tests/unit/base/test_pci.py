"""PCI addresses: reading, writing, order."""

import pytest

from daos_control.base.pci import PciAddress


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0000:81:00.0", "0000:81:00.0"),
        ("0:1:2.3", "0000:01:02.3"),
        ("10000:01:00.0", "010000:01:00.0"),
        ("5d0505:01:00.0", "5d0505:01:00.0"),
        ("5D0505:0A:00.0", "5d0505:0a:00.0"),
    ],
)
def test_reading_and_writing(text, written):
    assert str(PciAddress.parse(text)) == written


@pytest.mark.parametrize("text", ["", "81:00.0", "0000:81:00", "0000:81:00.0 ", "0000:181:00.0", "lo", "0000:zz:00.0"])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="is not a PCI address"):
        PciAddress.parse(text)


def test_what_is_behind_a_vmd_tells_which():
    address = PciAddress.parse("5d0505:01:00.0")
    assert str(address.vmd) == "0000:5d:05.5"
    assert PciAddress.parse("0000:5d:05.5").vmd is None


def test_order_is_that_of_the_parts_and_vmds_come_last():
    texts = ["0000:02:00.1", "0000:02:01.0", "0001:01:00.0", "5d0505:01:00.0", "5d0505:03:00.0", "d70505:01:00.0"]
    assert [str(one) for one in sorted(PciAddress.parse(text) for text in reversed(texts))] == texts
