"""The reference in docs/ says what the code says."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = importlib.util.spec_from_file_location("generate_reference", ROOT / "scripts" / "generate_reference.py")
assert SPEC is not None
assert SPEC.loader is not None
generate_reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate_reference)


@pytest.mark.parametrize(("name", "text"), generate_reference.pages().items(), ids=lambda value: value[:20])
def test_page_is_up_to_date(name: str, text: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text() == text, "run: make docs"
