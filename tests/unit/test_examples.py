"""The examples in docstrings are true."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _modules() -> list[str]:
    found = [path for path in sorted((SOURCE / "daos_control").rglob("*.py")) if ">>> " in path.read_text()]
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for path in found]


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted
    assert not results.failed


def test_programs_in_the_documentation_are_whole() -> None:
    """They compile as they stand, and the names they import exist; those of most guides are run, too."""
    programs = [text for page in PAGES for text in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)]
    assert len(programs) > 8
    for program in programs:
        compile(program, "<example>", "exec")
        for line in re.findall(r"^from daos_control\S* import .*$", program, re.MULTILINE):
            exec(line, {})
