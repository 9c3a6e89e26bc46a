from __future__ import annotations

from uuid import UUID

from eventstore.ids import new_id
from workers.webhook.claimed import Due, Endpoint
from workers.webhook.places import Places


def take(places: Places, webhook_id: UUID, count: int, *, all_of_it: bool = True) -> None:
    places.take([webhook_id] * count, places.rooms(), [webhook_id], all_of_it=all_of_it)


def fail(places: Places, webhook_id: UUID, times: int) -> None:
    for _ in range(times):
        take(places, webhook_id, 1)
        places.leave(webhook_id, well=False)


def test_an_endpoint_has_no_more_than_its_share() -> None:
    places, endpoint = Places(10, 500), new_id()
    take(places, endpoint, 7)
    assert places.rooms() == {endpoint: 3}
    assert places.free() == 493


def test_one_that_fails_soon_has_a_single_place_and_each_success_gives_it_another() -> None:
    places, endpoint = Places(10, 500), new_id()
    widths = []
    for _ in range(4):
        fail(places, endpoint, 1)
        widths.append(places.rooms()[endpoint])
    assert widths == [5, 2, 1, 1]
    take(places, endpoint, 1)
    places.leave(endpoint, well=True)
    assert places.rooms() == {endpoint: 2}


def test_those_that_fail_share_half_of_all_places() -> None:
    places, healthy = Places(10, 20), new_id()
    failing = [new_id() for _ in range(12)]
    for endpoint in failing:
        fail(places, endpoint, 4)
    for endpoint in failing[:10]:
        take(places, endpoint, 1)
    take(places, healthy, 3)
    assert {places.rooms()[endpoint] for endpoint in failing} == {0}
    assert places.rooms()[healthy] == 7
    places.leave(failing[0], well=False)
    assert places.rooms()[failing[11]] == 1


def test_it_is_time_for_more_when_half_of_what_was_taken_is_done() -> None:
    places, endpoint = Places(4, 500), new_id()
    take(places, endpoint, 4)
    assert [places.leave(endpoint, well=True) for _ in range(4)] == [False, True, True, True]


def test_when_all_there_was_is_taken_there_is_no_more_to_look_for() -> None:
    places, endpoint = Places(4, 500), new_id()
    take(places, endpoint, 3)
    assert not any(places.leave(endpoint, well=True) for _ in range(3))


def test_a_claim_that_was_cut_short_may_have_left_something() -> None:
    places, endpoint = Places(4, 500), new_id()
    take(places, endpoint, 1, all_of_it=False)
    assert places.leave(endpoint, well=True)


def test_few_free_places_are_not_worth_a_claim() -> None:
    places = Places(100, 100)
    take(places, new_id(), 96)
    assert places.free() == 0
    take(small := Places(1, 1), new_id(), 0)
    assert small.free() == 1


def test_endpoints_that_behave_are_forgotten_and_those_that_fail_are_remembered_for_a_while() -> None:
    places, well, badly = Places(10, 500), new_id(), new_id()
    take(places, well, 1)
    places.leave(well, well=True)
    fail(places, badly, 1)
    places.forget_idle()
    assert list(places.endpoints) == [badly]
    places.endpoints[badly].used_at -= 3600
    places.forget_idle()
    assert places.endpoints == {}


def test_free_places_are_shared_in_order_and_those_left_without_are_told() -> None:
    places = Places(4, 10)
    queues = [Due(Endpoint(new_id(), new_id()), 100) for _ in range(4)]
    take(places, queues[0].endpoint.webhook_id, 4)
    given, without = places.shared(queues, places.rooms())
    assert given == {queues[1].endpoint: 4, queues[2].endpoint: 2}
    assert without == queues[3:]


def test_no_more_places_are_given_than_there_is_something_due() -> None:
    few = Due(Endpoint(new_id(), new_id()), 2)
    assert Places(4, 10).shared([few], {}) == ({few.endpoint: 2}, [])
