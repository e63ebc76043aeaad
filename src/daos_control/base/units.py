"""Sizes, shares and counts as people write them: ``4 GiB``, ``1.5TB``, ``60%``, ``2 engines``.

DAOS reads and prints sizes by one rule everywhere, and tools parse what is printed, so the rule is exact: SI units are
powers of 1000, IEC units (with an ``i``) powers of 1024, a bare ``g`` means SI.
"""

import math
import re

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_SI = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_FACTORS = {
    "": 1,
    "b": 1,
    **{letter + tail: 1000**power for power, letter in enumerate("kmgtpe", 1) for tail in ("", "b")},
    **{letter + tail: 1024**power for power, letter in enumerate("kmgtpe", 1) for tail in ("i", "ib")},
}
_SIZE = r"([0-9.,]+)\s*([A-Za-z]*)\s*"  # compiled when first needed
_LARGEST = (1 << 64) - 1


def parse_size(text: str) -> int:
    """Return the bytes that ``text`` names; ValueError says what is wrong with it.

    >>> parse_size("8 GiB"), parse_size("1.5TB"), parse_size("1,000"), parse_size("2g")
    (8589934592, 1500000000000, 1000, 2000000000)
    """
    match = re.fullmatch(_SIZE, text)
    factor = _FACTORS.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"invalid size {text!r}: give a number of bytes, or a number with a unit such as 8GiB or 10GB")
    digits = match[1].replace(",", "")
    try:
        size = int(digits) * factor if digits.isdigit() else int(float(digits) * factor)
    except ValueError:
        raise ValueError(f"invalid size {text!r}: {match[1]!r} is not a number") from None
    if size > _LARGEST:
        raise ValueError(f"invalid size {text!r}: more than {_LARGEST} bytes")
    return size


def format_si(size_bytes: int) -> str:
    """Spell bytes in SI units.

    >>> format_si(9), format_si(82854982), format_si(1500), format_si(10**12)
    ('9 B', '83 MB', '1.5 kB', '1.0 TB')
    """
    return _format(size_bytes, 1000, _SI)


def format_iec(size_bytes: int) -> str:
    """Spell bytes in IEC units.

    >>> format_iec(4 * GIB), format_iec(82854982), format_iec(1024)
    ('4.0 GiB', '79 MiB', '1.0 KiB')
    """
    return _format(size_bytes, 1024, _IEC)


def _format(size: int, base: int, units: tuple[str, ...]) -> str:
    if size < 10:
        return f"{size} B"
    # floor(log) in integers: a float logarithm calls 1000**5 "1000 TB".
    power = 0
    while size >= base ** (power + 1) and power + 1 < len(units):
        power += 1
    value = math.floor(size / base**power * 10 + 0.5) / 10
    return f"{value:.1f} {units[power]}" if value < 10 else f"{value:.0f} {units[power]}"


def parse_percent(text: str) -> int:
    """Return the whole percentage, 1 to 100, that ``text`` ("60%") names.

    >>> parse_percent(" 60 %")
    60
    """
    number = text.strip().removesuffix("%").strip()
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= 100):
        raise ValueError(f"invalid percentage {text!r}: give a whole number from 1% to 100%")
    return int(number)


def parse_ratios(text: str) -> tuple[float, ...]:
    """Return shares of one whole, from percentages that add up to it; a single one is completed by the rest.

    >>> parse_ratios("6")
    (0.06, 0.94)
    >>> parse_ratios("10%,90%")
    (0.1, 0.9)
    """
    try:
        ratios = [round(float(part.strip().strip("%")), 2) / 100 for part in text.split(",")]
    except ValueError:
        raise ValueError(f"invalid tier ratio {text!r}: give percentages, such as 6,94") from None
    if len(ratios) == 1 and ratios[0] < 1:
        ratios.append(1 - ratios[0])
    if not all(0 <= ratio <= 1 for ratio in ratios):
        raise ValueError(f"invalid tier ratio {text!r}: each must lie between 0 and 100")
    if abs(sum(ratios) - 1) > 0.01:
        raise ValueError(f"invalid tier ratio {text!r}: they add up to {sum(ratios) * 100:g}, not to 100")
    return tuple(ratios)


def counted(count: int, noun: str, *, none: str = "0") -> str:
    """Count things.

    >>> counted(1, "namespace"), counted(0, "module"), counted(0, "problem", none="no")
    ('1 namespace', '0 modules', 'no problems')
    """
    return f"{count} {noun}" if count == 1 else f"{count or none} {noun}s"
