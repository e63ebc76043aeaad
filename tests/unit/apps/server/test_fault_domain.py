"""Where a host stands, by configuration, by a program, or by its name."""

import pytest

from daos_control.apps.server.fault_domain import find_fault_domain, parse
from daos_control.base.errors import Fault


@pytest.fixture
def script(tmp_path):
    def make(text, mode=0o700):
        path = tmp_path / "where.sh"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return str(path)

    return make


async def found(tmp_path, **given):
    return str(
        await find_fault_domain(
            **{"fault_path": "", "fault_cb": "", "hostname": "h1", "config_directory": tmp_path, **given}
        )
    )


async def test_the_name_stands_in_for_what_is_not_configured(tmp_path):
    assert await found(tmp_path) == "/h1"


async def test_configured(tmp_path):
    assert await found(tmp_path, fault_path="/rack1/h1") == "/rack1/h1"


async def test_told_by_a_program(tmp_path, script):
    assert await found(tmp_path, fault_cb=script("echo ' /rack2/h1 '")) == "/rack2/h1"


@pytest.mark.parametrize(("code", "text"), [(717, "rack1"), (717, "/"), (717, "/a=1/b"), (724, "/site/rack/host")])
def test_paths_that_are_none(code, text):
    with pytest.raises(Fault) as refused:
        parse(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "text", "mode"),
    [
        pytest.param(721, "exit 3", 0o700, id="it fails"),
        pytest.param(723, ":", 0o700, id="it says nothing"),
        pytest.param(719, "echo /a", 0o722, id="others may write it"),
        pytest.param(719, "echo /a", 0o4700, id="it is setuid"),
        pytest.param(720, "echo /a", 0o600, id="it may not be executed"),
    ],
)
async def test_programs_that_are_refused(tmp_path, script, code, text, mode):
    with pytest.raises(Fault) as refused:
        await found(tmp_path, fault_cb=script(text, mode))
    assert refused.value.code == code


@pytest.mark.parametrize(("code", "name"), [(718, "absent"), (719, "link"), (719, "../elsewhere")])
async def test_programs_that_are_not_what_they_seem(tmp_path, script, code, name):
    (tmp_path / "link").symlink_to(script("echo /a"))
    with pytest.raises(Fault) as refused:
        await found(tmp_path, fault_cb=str(tmp_path / name))
    assert refused.value.code == code


async def test_two_answers_are_one_too_many(tmp_path, script):
    with pytest.raises(Fault) as refused:
        await found(tmp_path, fault_path="/a", fault_cb=script("echo /a"))
    assert refused.value.code == 722
