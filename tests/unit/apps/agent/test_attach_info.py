"""Attach info is taken apart once and completed for each client."""

import pytest

from daos_control.apps.agent.attach_info import AttachInfo, UnusableAttachInfo
from daos_control.wire.pb.mgmt.svc_pb2 import BuildInfo, ClientNetHint, FabricInterfaces, GetAttachInfoResp


def ranks(count: int, provider_index: int = 0) -> list[GetAttachInfoResp.RankUri]:
    return [
        GetAttachInfoResp.RankUri(rank=rank, uri=f"ofi+tcp://10.0.0.1:{rank}", provider_idx=provider_index, num_ctxs=3)
        for rank in range(count)
    ]


def answer(count: int = 2, **fields: object) -> GetAttachInfoResp:
    return GetAttachInfoResp(
        rank_uris=ranks(count),
        ms_ranks=[0, 1],
        client_net_hint=ClientNetHint(
            provider="ofi+tcp", net_dev_class=772, srv_srx_set=1, env_vars=["FI_LOG_LEVEL=warn"]
        ),
        data_version=7,
        sys="daos_server",
        build_info=BuildInfo(major=2, minor=8, tag="v2.8.0"),
        **fields,
    )


def test_a_clients_reply_has_everything_of_the_answer_but_its_data_version():
    info = AttachInfo.from_reply(answer())

    reply = GetAttachInfoResp.FromString(info.for_client(interface="lo", domain="lo"))

    expected = answer()
    expected.ClearField("data_version")
    expected.client_net_hint.interface = "lo"
    expected.client_net_hint.domain = "lo"
    assert reply == expected


def test_one_clients_share_never_shows_in_anothers():
    info = AttachInfo.from_reply(answer())

    info.for_client(interface="ib0", domain="mlx5_0", env_vars=["A=1"])
    second = GetAttachInfoResp.FromString(info.for_client(interface="ib1", domain="mlx5_1", env_vars=["B=2"]))

    assert second.client_net_hint.interface == "ib1"
    assert list(second.client_net_hint.env_vars) == ["FI_LOG_LEVEL=warn", "B=2"]


def test_local_interfaces_are_added():
    numa_fabric = GetAttachInfoResp(numa_fabric_interfaces=[FabricInterfaces(numa_node=0)]).SerializeToString()

    reply = AttachInfo.from_reply(answer()).for_client(interface="lo", domain="lo", numa_fabric=numa_fabric)

    assert len(GetAttachInfoResp.FromString(reply).numa_fabric_interfaces) == 1


def test_what_is_done_for_each_client_does_not_grow_with_the_ranks():
    few, many = AttachInfo.from_reply(answer(6)), AttachInfo.from_reply(answer(2048))

    own = [len(info.for_client(interface="lo", domain="lo")) - len(info.common) for info in (few, many)]

    assert own[0] == own[1] < 100


def secondary() -> GetAttachInfoResp:
    return answer(
        secondary_rank_uris=[*ranks(2, 1), *ranks(2, 2)],
        secondary_client_net_hints=[
            ClientNetHint(provider="ofi+verbs", provider_idx=1),
            ClientNetHint(provider="ofi+cxi", provider_idx=2),
        ],
    )


def test_a_secondary_provider_takes_the_place_of_the_primary():
    info = AttachInfo.from_reply(secondary(), provider_index=2)

    reply = GetAttachInfoResp.FromString(info.for_client(interface="hsn0", domain="cxi0"))

    assert reply == GetAttachInfoResp(
        rank_uris=ranks(2, 2),
        ms_ranks=[0, 1],
        client_net_hint=ClientNetHint(provider="ofi+cxi", provider_idx=2, interface="hsn0", domain="cxi0"),
    )


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        pytest.param(GetAttachInfoResp(), 0, id="no hint"),
        pytest.param(answer(), 1, id="no such secondary provider"),
        pytest.param(
            answer(
                secondary_rank_uris=ranks(1, 1),
                secondary_client_net_hints=[ClientNetHint(provider="p", provider_idx=2)],
            ),
            1,
            id="hint of another provider",
        ),
        pytest.param(
            answer(secondary_client_net_hints=[ClientNetHint(provider="p", provider_idx=1)]), 1, id="no rank speaks it"
        ),
    ],
)
def test_an_answer_that_is_of_no_use_to_clients_is_refused(reply: GetAttachInfoResp, index: int):
    with pytest.raises(UnusableAttachInfo):
        AttachInfo.from_reply(reply, provider_index=index)
