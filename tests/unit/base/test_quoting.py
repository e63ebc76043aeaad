import pytest

from daos_control.base.quoting import one_line, quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '""'),
        ("plain", '"plain"'),
        ('a "b" \\c', r'"a \"b\" \\c"'),
        ("tab\tline\nend", r'"tab\tline\nend"'),
        ("\x00\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("naïve 数", '"naïve 数"'),
        ("\u200b\U000e0001", r'"\u200b\U000e0001"'),
    ],
)
def test_quoted(text, expected):
    assert quoted(text) == expected


def test_one_line_escapes_only_what_breaks_lines_or_steers_terminals():
    assert one_line('say "hi"') == 'say "hi"'
    assert one_line("two\nlines \x1b[31m") == r"two\nlines \x1b[31m"
