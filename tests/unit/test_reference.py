"""The reference in docs/ says what the code says."""

from pathlib import Path

import pytest

import generate_reference

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(("name", "text"), generate_reference.pages().items(), ids=lambda value: value[:20])
def test_page_is_up_to_date(name: str, text: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text() == text, "run: make docs"


@pytest.mark.parametrize("page", ["configuration.md"])
def test_every_key_says_what_it_is_for(page: str) -> None:
    text = (ROOT / "docs" / "reference" / page).read_text()
    silent = [line for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert silent == []
