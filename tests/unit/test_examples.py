"""The examples in docstrings are true."""

import doctest
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"


def _modules() -> list[str]:
    found = [path for path in sorted((SOURCE / "daos_control").rglob("*.py")) if ">>> " in path.read_text()]
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for path in found]


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted
    assert not results.failed
