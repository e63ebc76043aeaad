"""The engines that the management service meets in tests."""

from daos_control.net.drpc.methods import Mgmt
from daos_control.testing.data_plane import FakeDataPlane


async def test_what_is_queued_comes_before_the_usual_answer_and_both_before_an_empty_one() -> None:
    engines = FakeDataPlane()
    engines.open()
    method = Mgmt.GROUP_UPDATE
    assert (await engines.call(method, method.request())).status == 0
    engines.always(method, lambda request: method.reply(status=request.map_version))
    engines.answer(method, method.reply(status=-1))
    statuses = [(await engines.call(method, method.request(map_version=version))).status for version in (1, 2, 3)]
    assert statuses == [-1, 2, 3]
