"""Who listens where, from tables as kernels write them."""

from pathlib import Path

import pytest

from daos_control.host.sockets import Listener, bound_paths, holders, listeners

# Of the tables as kernels write them, the fields that follow the inode are left out.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100B47F:2711 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21759902 1
   1: 00000000:7AB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 21759904 1
   2: 0100007F:9C40 0100007F:2711 01 00000000:00000000 00:00000000 00000000     0        0 21759999 1
"""
NO_ADDRESS = "0" * 32
TCP6 = f"""\
  sl  local_address  remote_address  st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: {NO_ADDRESS}:0016 {NO_ADDRESS}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 300 1
"""
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0005 01 21759910 /run/daos_server/daos_server.sock
0000000000000000: 00000002 00000000 00000000 0002 01 21759911 /dev/log
0000000000000000: 00000003 00000000 00000000 0001 03 21759912
0000000000000000: 00000002 00000000 00010000 0001 01 21759913 /tmp/with a blank
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    net = tmp_path / "proc" / "net"
    net.mkdir(parents=True)
    for name, text in (("tcp", TCP), ("tcp6", TCP6), ("unix", UNIX)):
        (net / name).write_text(text)
    return tmp_path


def test_only_sockets_that_listen_count(root):
    assert [(one.address, one.port) for one in listeners(root)] == [
        ("127.180.0.1", 10001),
        ("0.0.0.0", 31416),
        ("::", 22),
    ]


def test_a_kernel_without_tables_has_none(tmp_path):
    assert listeners(tmp_path) == ()
    assert bound_paths(tmp_path) == frozenset()


def test_paths_that_somebody_listens_on(root):
    assert bound_paths(root) == {"/run/daos_server/daos_server.sock", "/tmp/with a blank"}


@pytest.mark.parametrize(
    ("theirs", "ours", "blocked"),
    [
        ("0.0.0.0", "10.0.0.1", True),
        ("10.0.0.1", "0.0.0.0", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::", "0.0.0.0", True),
        ("::1", "0.0.0.0", False),
    ],
)
def test_who_is_in_whose_way(theirs, ours, blocked):
    assert Listener(address=theirs, port=1, inode=1).is_in_the_way_of(ours) is blocked


def test_the_holder_is_the_process_that_has_it_open(root):
    process = root / "proc" / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "cmdline").write_bytes(b"/usr/bin/nginx\0")
    (process / "fd" / "0").symlink_to("/dev/null")
    (process / "fd" / "7").symlink_to("socket:[21759904]")
    found = holders([21759904, 300], root)
    assert {inode: (one.pid, one.program) for inode, one in found.items()} == {21759904: (4711, "nginx")}
