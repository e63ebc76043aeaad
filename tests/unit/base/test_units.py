import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base import units


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("42", 42),
        ("42b", 42),
        ("42 MB", 42_000_000),
        ("42 mib", 44_040_192),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1KiB", 1024),
        ("4.35GB", 4_350_000_000),
        ("1,234,567", 1_234_567),
        ("2 T", 2 * 10**12),
        ("1Pi", 1 << 50),
        ("1e", 10**18),
        ("18446744073709551615", (1 << 64) - 1),
    ],
)
def test_sizes_are_read_as_dmg_reads_them(text, size):
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1.2.3", "1 XB", "10%", "1 G B", "17EiB", "1e3GB", "\u0663"])
def test_a_bad_size_is_refused_and_named(text):
    with pytest.raises(ValueError, match="invalid size"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("size", "si", "iec"),
    [
        (0, "0 B", "0 B"),
        (9, "9 B", "9 B"),
        (10, "10 B", "10 B"),
        (999, "999 B", "999 B"),
        (1000, "1.0 kB", "1000 B"),
        (9_949, "9.9 kB", "9.7 KiB"),
        (9_950, "10 kB", "9.7 KiB"),
        (82_854_982, "83 MB", "79 MiB"),
        (999_999, "1000 kB", "977 KiB"),
        (10**12, "1.0 TB", "931 GiB"),
        ((1 << 64) - 1, "18 EB", "16 EiB"),
    ],
)
def test_sizes_are_printed_as_dmg_prints_them(size, si, iec):
    assert (units.format_si(size), units.format_iec(size)) == (si, iec)


@given(st.integers(min_value=0, max_value=(1 << 63)))
def test_what_is_printed_can_be_read_back_within_its_precision(size):
    for text in (units.format_si(size), units.format_iec(size)):
        assert units.parse_size(text) == pytest.approx(size, rel=0.06, abs=0.5)


@pytest.mark.parametrize(("text", "percent"), [("1%", 1), ("100%", 100), (" 60 % ", 60)])
def test_percentages(text, percent):
    assert units.parse_percent(text) == percent


@pytest.mark.parametrize("text", ["0%", "101%", "-1%", "1.5%", "%", "", "²%"])
def test_bad_percentages(text):
    with pytest.raises(ValueError, match="from 1% to 100%"):
        units.parse_percent(text)


@pytest.mark.parametrize(
    ("text", "ratios"),
    [
        ("6", (0.06, 0.94)),
        ("6,94", (0.06, 0.94)),
        ("3.33%,96.67%", (0.0333, 0.9667)),
        ("100", (1.0,)),
        ("33.333,33.333,33.334", (0.3333, 0.3333, 0.3333)),
    ],
)
def test_tier_ratios(text, ratios):
    assert units.parse_ratios(text) == pytest.approx(ratios)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "give percentages"),
        ("a,b", "give percentages"),
        ("110", "between"),
        ("-1,101", "between"),
        ("30,30", "add up to 60"),
    ],
)
def test_bad_tier_ratios_say_what_is_wrong(text, why):
    with pytest.raises(ValueError, match=why):
        units.parse_ratios(text)
