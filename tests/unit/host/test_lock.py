"""One server in one place."""

import os
import subprocess
import sys

import pytest

from daos_control.host.lock import PlaceTakenError, holding

HOLDER = """
import sys, time
from pathlib import Path
from daos_control.host.lock import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1000)
"""


def test_the_holder_is_named_and_its_death_frees_the_place(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            said = rf"pid {other.pid}\) is running with socket directory {tmp_path}"
            with pytest.raises(PlaceTakenError, match=said), holding(tmp_path):
                pass
        finally:
            other.kill()
    with holding(tmp_path):
        assert (tmp_path / ".daos_server.lock").read_text() == f"{os.getpid()}\n"


def test_places_do_not_disturb_each_other(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with holding(tmp_path / "a"), holding(tmp_path / "b"):
        pass


def test_a_missing_folder_is_told_with_the_way_out(tmp_path):
    with pytest.raises(PlaceTakenError, match="must exist and be writable"), holding(tmp_path / "absent"):
        pass
