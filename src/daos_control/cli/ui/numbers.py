"""Floating-point numbers as DAOS 2.8 prints them."""

import math


def shortest(value: float) -> str:
    """Write a number with the digits that it takes to read it back, and an exponent from a million on.

    >>> [shortest(number) for number in (0.0, 100000.0, 1048576.0, 0.001, 1e-05, math.inf)]
    ['0', '100000', '1.048576e+06', '0.001', '1e-05', '+Inf']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = repr(abs(value)).partition("e")[0].replace(".", "").strip("0")
    decimals = max(len(digits) - 1, 0)
    scientific = f"{value:.{decimals}e}"
    exponent = int(scientific.partition("e")[2])
    if -4 <= exponent < 6:
        return f"{value:.{max(decimals - exponent, 0)}f}"
    return scientific


def json_number(value: float) -> float | int | str:
    """Return a number as a document has it: whole ones without a point, and text for those that JSON cannot write.

    >>> [json_number(number) for number in (2.0, 2.5, 2.0**64, -math.inf)]
    [2, 2.5, 18446744073709552000, '-Inf']
    """
    if not math.isfinite(value):
        return shortest(value)
    if not value.is_integer() or abs(value) >= 1e21:
        return value
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return int(value)
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction.ljust(int(exponent), "0"))  # the digits that matter, and zeros
