"""What a server settles about its host before it serves."""

import pytest

from daos_control.apps.server.preparation import NotThereYetError, host_facts, refuse_what_is_not_there_yet
from daos_control.config.document import parse
from daos_control.config.server import ServerConfig


@pytest.mark.parametrize("in_memory", [True, False])
def test_memory_bounds_ram_disks_only_where_they_are_in_memory(in_memory: bool) -> None:
    facts = host_facts(ServerConfig(), (), in_memory=in_memory)
    assert (facts.memory_kib is not None) is in_memory


@pytest.mark.parametrize("storage_class", ["dcpm", "nvme", "file", "kdev"])
def test_storage_that_comes_later_is_refused_by_name(storage_class: str) -> None:
    text = f"engines: [{{storage: [{{class: ram, scm_mount: /mnt/daos}}, {{class: {storage_class}}}]}}]"
    with pytest.raises(NotThereYetError, match=f"engine 0 .* class {storage_class}: this release manages"):
        refuse_what_is_not_there_yet(parse(text, ServerConfig(), source="test"))


def test_ram_disks_are_not_refused() -> None:
    text = "engines: [{storage: [{class: ram, scm_mount: /mnt/daos}]}]"
    refuse_what_is_not_there_yet(parse(text, ServerConfig(), source="test"))
