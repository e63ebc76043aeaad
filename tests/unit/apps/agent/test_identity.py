"""Names for numbers."""

import grp
import os
import pwd

import pytest

from daos_control.apps.agent.identity import Identity, UnknownGroup, UnknownUser, UserMap, look_up, may_block

NOBODY_HAS_THIS = 3_999_999_999


def test_a_known_user_has_all_groups_of_the_database_primary_first():
    me = pwd.getpwuid(os.getuid())

    identity = look_up(me.pw_uid, me.pw_gid)

    assert identity.user == me.pw_name
    assert identity.group == grp.getgrgid(me.pw_gid).gr_name
    assert identity.groups[0] == grp.getgrgid(me.pw_gid).gr_name


def test_an_unknown_user():
    with pytest.raises(UnknownUser, match=str(NOBODY_HAS_THIS)):
        look_up(NOBODY_HAS_THIS, 0)


def test_a_known_user_with_an_unknown_group():
    with pytest.raises(UnknownGroup, match=str(NOBODY_HAS_THIS)):
        look_up(os.getuid(), NOBODY_HAS_THIS)


def test_the_map_knows_some_and_takes_the_rest_for_the_default():
    alice, anyone = Identity(user="alice", group="research"), Identity(user="nobody", group="nogroup")

    assert UserMap(by_uid={4242: alice}, default=anyone).find(4242) == alice
    assert UserMap(by_uid={4242: alice}, default=anyone).find(1) == anyone
    assert UserMap(by_uid={4242: alice}).find(1) is None


@pytest.mark.parametrize(
    ("nsswitch", "blocks"),
    [
        pytest.param("passwd: files systemd\ngroup:files\nhosts: files dns\n", False, id="local files"),
        pytest.param("passwd: files # sss\n", False, id="comment"),
        pytest.param("passwd: files [NOTFOUND=return] systemd\n", False, id="action"),
        pytest.param("passwd: files [!UNAVAIL=return SUCCESS=continue] systemd\n", False, id="action of two words"),
        pytest.param("passwd: files\ngroup: files sss\n", True, id="directory for groups"),
        pytest.param("initgroups: ldap\n", True, id="directory for memberships"),
        pytest.param("", False, id="empty"),
    ],
)
def test_whether_a_look_up_may_have_to_ask_another_host(nsswitch: str, blocks: bool):
    assert may_block(nsswitch) is blocks
