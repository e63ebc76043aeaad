"""What every test gets: where the recordings are, and the leak check that no test may fail silently."""

import asyncio
import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from weakref import WeakSet

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
# For a night: pytest --hypothesis-profile=deep
hypothesis.settings.register_profile("deep", deadline=None, max_examples=10_000, stateful_step_count=100)
hypothesis.settings.load_profile("untimed")


LOOPS: "WeakSet[asyncio.BaseEventLoop]" = WeakSet()
"""All event loops that were made: asyncio tells the tasks of a loop, but not which loops there are."""
MAKE_LOOP = asyncio.BaseEventLoop.__init__


def _make_and_remember(loop: asyncio.BaseEventLoop) -> None:
    MAKE_LOOP(loop)
    LOOPS.add(loop)


asyncio.BaseEventLoop.__init__ = _make_and_remember


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Recorded conversations of genuine DAOS 2.8; they lie beside the checkout, not in it."""
    folder = Path(os.environ.get("DAOS_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    if not folder.is_dir():
        pytest.skip("no recordings of genuine DAOS beside this checkout (DAOS_CONFORMANCE)")
    return folder


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and certificates of every component, as ``security.authority`` lays it out."""
    from daos_control.security.authority import issue_certificates

    folder = tmp_path_factory.mktemp("pki") / "certs"
    issue_certificates(folder)
    return folder


@pytest.fixture(autouse=True)
def no_leaked_tasks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a task running: nobody would see it fail later."""
    yield
    if not _live_tasks():
        return  # the usual case; collecting garbage takes longer than most tests
    gc.collect()
    leaked = _live_tasks()
    assert not leaked, f"{request.node.name} left tasks running: {leaked}"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what a program that was run in this process did to the log."""
    loggers = [logging.getLogger(), logging.getLogger("daos_control")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        for handler in [handler for handler in logger.handlers if handler not in handlers]:
            logger.removeHandler(handler)
            handler.close()


def _live_tasks() -> list["asyncio.Task[object]"]:
    return [task for loop in list(LOOPS) if not loop.is_closed() for task in asyncio.all_tasks(loop)]
