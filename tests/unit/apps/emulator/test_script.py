"""Faults on request."""

import pytest

from daos_control.apps.emulator.script import Commands, Script, ScriptError
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


class World:
    """Records what scripts ask for."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.script = Script(lambda: self.asked.append(("died",)))
        self.commands = Commands(
            self.script, event=self._note("event"), container=self._note("container"), connect=self._note("connect")
        )

    def _note(self, name: str):  # type: ignore[no-untyped-def]
        async def action(*arguments: object) -> None:
            self.asked.append((name, *arguments))

        return action


async def test_a_fault_happens_as_often_as_ordered() -> None:
    world = World()
    await world.commands.run("fail POOL_CREATE NOSPACE 2")
    await world.script.before("POOL_QUERY")
    for _ in range(2):
        with pytest.raises(DaosError) as error:
            await world.script.before("POOL_CREATE")
        assert error.value.status == Der.NOSPACE
    await world.script.before("POOL_CREATE")


async def test_orders_can_be_taken_back() -> None:
    world = World()
    await world.commands.run("fail POOL_CREATE -1012")
    await world.commands.run("clear")
    await world.script.before("POOL_CREATE")


async def test_other_commands_reach_the_engine() -> None:
    world = World()
    await world.commands.run("event 21 media error on a device")
    await world.commands.run("container p")
    await world.commands.run("connect p node1")
    assert world.asked == [("event", 21, "media error on a device"), ("container", "p"), ("connect", "p", "node1")]


@pytest.mark.parametrize(
    "line",
    [
        "explode",
        "fail NOSUCH -1012",
        "fail POOL_CREATE",
        "fail POOL_CREATE 5",
        "fail POOL_CREATE NOSUCH",
        "fail POOL_CREATE -1012 x",
        "delay POOL_CREATE soon",
        "event x",
        "container a b c",
    ],
)
async def test_nonsense(line: str) -> None:
    with pytest.raises(ScriptError):
        await World().commands.run(line)
