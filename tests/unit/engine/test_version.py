"""The version an engine's program carries."""

import pytest

from daos_control.base.version import DAOS_VERSION
from daos_control.engine.version import version_in


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"\x7fELF\x00DAOS I/O Engine (v%s)\x002.6.4\x00\x00libx.so.1.2.3\x00", "2.6.4"),
        (b"\x7fELF\x002.6.4\x00 \x001.0.0\x00", ""),
        (b"\x7fELF", ""),
        (b"#!/usr/bin/python3\n", DAOS_VERSION),
    ],
    ids=["its own among others", "two that stand alone", "none", "a script is ours"],
)
def test_version(tmp_path, content, version):
    program = tmp_path / "daos_engine"
    program.write_bytes(content)
    assert version_in(program) == version
