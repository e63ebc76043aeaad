"""PCI addresses, as people and the kernel write them: ``0000:81:00.0``.

An address behind a VMD (a controller that hides SSDs behind itself) has the VMD's own bus, device and function where
others have the domain: ``5d0505:01:00.0`` is behind ``0000:5d:05.5``.

>>> PciAddress.parse("5d0505:01:00.0").vmd
PciAddress(bus=93, device=5, function=5)
"""

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Self

_ADDRESS = re.compile(r"([0-9a-fA-F]{1,8}):([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\.([0-9a-fA-F]{1,2})")
_LAST_DOMAIN = 0xFFFF


@total_ordering
@dataclass(frozen=True, slots=True, kw_only=True)
class PciAddress:
    """Where a device is; in the order of its parts, those behind a VMD last."""

    domain: int = 0
    bus: int
    device: int
    function: int
    vmd: "PciAddress | None" = None
    """The VMD that it is behind; the domain says nothing then."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address; ValueError if it is none."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a PCI address, such as 0000:81:00.0")
        domain, bus, device, function = (int(part, 16) for part in match.groups())
        if domain <= _LAST_DOMAIN:
            return cls(domain=domain, bus=bus, device=device, function=function)
        vmd = cls(bus=domain >> 16 & 0xFF, device=domain >> 8 & 0xFF, function=domain & 0xFF)
        return cls(domain=_LAST_DOMAIN, bus=bus, device=device, function=function, vmd=vmd)

    def __str__(self) -> str:
        vmd = self.vmd
        domain = f"{vmd.bus:02x}{vmd.device:02x}{vmd.function:02x}" if vmd else f"{self.domain:04x}"
        return f"{domain}:{self.bus:02x}:{self.device:02x}.{self.function:x}"

    def __repr__(self) -> str:
        domain = f"domain={self.domain}, " if self.domain else ""
        behind = f", vmd={self.vmd!r}" if self.vmd else ""
        return f"PciAddress({domain}bus={self.bus}, device={self.device}, function={self.function}{behind})"

    def __lt__(self, other: "PciAddress") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, ...]:
        vmd = self.vmd
        behind = (vmd.bus, vmd.device, vmd.function) if vmd else (0, 0, 0)
        return (self.domain, *behind, self.bus, self.device, self.function)
