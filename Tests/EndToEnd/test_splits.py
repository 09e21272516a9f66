# Shares between revisions: how many, who stays, who may choose, and shifts at run time.

import collections
import math

import pytest

from harness.configuration import fast_health, revision, service
from harness.load import Load
from harness.messages import compose
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core


@pytest.fixture
def split_gateway(start_origin, start_gateway):
    """A service with the given percent by revision, each over one origin of the same name."""
    def start(percent, workers=2, **more):
        revisions = [revision(name, share, start_origin(name=name))
                     for name, share in percent.items()]
        return start_gateway(service(revisions=revisions, **more), gateway={"workers": workers})
    return start


def tally(gateway, requests, headers=lambda number: (), batch=200):
    """Pipelined on one connection; how many answers each revision gave."""
    seen = collections.Counter()
    with Connection(gateway.address) as client:
        for start in range(0, requests, batch):
            numbers = range(start, min(requests, start + batch))
            client.send(b"".join(compose(headers=headers(n)) for n in numbers))
            for _ in numbers:
                answer = client.response()
                assert answer.status == 200
                seen[answer.header("x-penstock-revision")] += 1
    return seen


def assert_share(count, total, percent):
    """Within six standard deviations: one false alarm in 500 million."""
    expected = total * percent / 100
    slack = 6 * math.sqrt(expected * (1 - percent / 100))
    assert abs(count - expected) <= slack, f"{count} of {total}; expected {expected}±{slack:.0f}"


def test_shares_are_kept(split_gateway):
    gateway = split_gateway({"a": 50, "b": 30.5, "c": 19.5})
    seen = tally(gateway, 3000)
    for name, percent in {"a": 50, "b": 30.5, "c": 19.5}.items():
        assert_share(seen[name], 3000, percent)


def test_a_revision_without_a_share_gets_nothing(split_gateway):
    gateway = split_gateway({"stable": 100, "canary": 0})
    assert tally(gateway, 1000) == {"stable": 1000}


def test_a_share_of_a_tenth_of_a_percent_is_kept(split_gateway):
    gateway = split_gateway({"stable": 99.9, "canary": 0.1})
    total = 12_000
    seen = tally(gateway, total)
    assert 1 <= seen["canary"] and seen["stable"] + seen["canary"] == total
    assert_share(seen["canary"], total, 0.1)


def test_the_revision_that_answered_is_told(split_gateway):
    gateway = split_gateway({"stable": 50, "canary": 50})
    for _ in range(20):
        answer = gateway.get()
        assert answer.header("x-penstock-revision") == answer.json()["origin"]


def test_a_key_keeps_a_client_on_its_revision(split_gateway):
    gateway = split_gateway({"stable": 70, "canary": 30}, split={"key": "header:x-user"})
    user = lambda number: {"X-User": f"user-{number}"}
    first = {n: gateway.get("/", user(n)).json()["origin"] for n in range(150)}
    again = {n: gateway.get("/", user(n)).json()["origin"] for n in range(150)}
    assert first == again
    assert_share(list(first.values()).count("canary"), 150, 30)


def test_a_growing_share_takes_keys_only_from_the_others(split_gateway):
    gateway = split_gateway({"stable": 90, "canary": 10}, split={"key": "cookie:user"})
    cookie = lambda number: {"Cookie": f"x=1; user=u{number}"}

    def on_canary():
        return {n for n in range(200) if gateway.get("/", cookie(n)).json()["origin"] == "canary"}
    ten = on_canary()
    gateway.admin.shift("echo", stable=60, canary=40)
    forty = on_canary()
    assert ten < forty
    assert_share(len(forty), 200, 40)


def test_keys_stay_over_a_restart(split_gateway):
    gateway = split_gateway({"stable": 50, "canary": 50}, split={"key": "header:x-user"})

    def places():
        return [gateway.get("/", {"X-User": str(n)}).json()["origin"] for n in range(40)]
    before = places()
    gateway.settle()
    gateway.stop()
    gateway.start()
    assert places() == before


def test_the_client_address_can_be_the_key(split_gateway):
    gateway = split_gateway({"stable": 50, "canary": 50}, split={"key": "client_address"})
    places = {}
    for number in range(1, 81):
        seen = {gateway.get(source=f"127.0.3.{number}").json()["origin"] for _ in range(2)}
        assert len(seen) == 1
        places[number] = seen.pop()
    assert_share(list(places.values()).count("canary"), 80, 50)


def test_a_client_may_choose_only_where_that_is_allowed(split_gateway):
    choice = {"X-Penstock-Revision": "canary"}
    open_gateway = split_gateway({"stable": 100, "canary": 0}, split={"override": True})
    assert {open_gateway.get("/", choice).json()["origin"] for _ in range(10)} == {"canary"}
    assert open_gateway.get().json()["origin"] == "stable"
    assert open_gateway.get("/", {"X-Penstock-Revision": "nonsense"}).status in (200, 404)
    closed_gateway = split_gateway({"stable": 100, "canary": 0})
    assert {closed_gateway.get("/", choice).json()["origin"] for _ in range(10)} == {"stable"}


def test_a_shift_is_in_force_everywhere_when_it_is_answered(split_gateway):
    gateway = split_gateway({"stable": 100, "canary": 0}, workers=4)
    clients = [gateway.connect() for _ in range(16)]
    for _ in range(3):
        for share in ("canary", "stable"):
            other = "stable" if share == "canary" else "canary"
            answer = gateway.admin.shift("echo", **{share: 100, other: 0})
            assert answer["traffic"] == {share: 100, other: 0}
            seen = {client.get().header("x-penstock-revision") for client in clients}
            assert seen == {share}


def test_a_shift_under_load_loses_nothing(split_gateway):
    gateway = split_gateway({"stable": 100, "canary": 0})
    with Load(gateway.address, clients=3) as load:
        generations = [gateway.admin.shift("echo", stable=100 - share, canary=share)["generation"]
                       for share in (0.1, 5, 33.3, 50, 99.9, 100, 0)]
        load.progress(100)
    load.assert_all_ok()
    assert generations == sorted(set(generations))


def test_a_shift_survives_a_restart_and_a_reload_until_the_file_changes(split_gateway):
    gateway = split_gateway({"stable": 100, "canary": 0})
    gateway.admin.shift("echo", stable=0, canary=100)
    gateway.settle()
    gateway.stop()
    gateway.start()
    assert gateway.get().json()["origin"] == "canary"
    assert gateway.reload(), "the same file"
    assert gateway.get().json()["origin"] == "canary"
    whole = gateway.configuration
    for entry, weight in zip(whole["services"][0]["revisions"], (90, 10)):
        entry["weight"] = weight
    assert gateway.reload(whole)
    assert gateway.admin.service()["traffic"] == {"stable": 90, "canary": 10}
    assert gateway.admin.get("/v1/services/echo/traffic")["source"] == "file"


def test_deleting_a_shift_returns_to_the_file(split_gateway):
    gateway = split_gateway({"stable": 100, "canary": 0})
    gateway.admin.shift("echo", stable=0, canary=100)
    answer = gateway.admin.send("DELETE", "/v1/services/echo/traffic")
    assert answer.status == 200 and answer.json()["traffic"] == {"stable": 100, "canary": 0}
    assert gateway.get().json()["origin"] == "stable"


def test_requests_are_counted_for_the_revision_they_were_assigned_to(split_gateway):
    gateway = split_gateway({"stable": 0, "canary": 100})
    assert gateway.get().json()["origin"] == "canary"
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_total", revision="canary") == 1
    assert metrics.sum("penstock_requests_total", revision="stable") == 0
    assert metrics.sum("penstock_revision_weight_ratio", revision="canary") == 1


def test_a_revision_that_is_down_gives_its_requests_to_one_that_serves(
        start_origin, start_gateway):
    blue, green, spare = (start_origin(name=name) for name in ("blue", "green", "spare"))
    gateway = start_gateway(service(
        revisions=[revision("blue", 70, blue), revision("green", 30, green),
                   revision("spare", 0, spare)],
        split={"key": "header:x-user", "override": True}, health=fast_health("tcp")))

    def health(origin):
        return gateway.admin.endpoints()[origin.address]["health"]
    until(lambda: all(health(o) == "up" for o in (blue, green, spare)), "all are up")
    blue.refuse()
    until(lambda: health(blue) == "down", "blue is found down")
    # All users, those of blue as well, and none falls to the revision without a share.
    assert tally(gateway, 400, lambda n: {"X-User": str(n)}) == {"green": 400}
    forced = gateway.get("/", {"x-penstock-revision": "blue"})
    assert forced.status == 503, "what was asked for by name is not replaced"
    blue.listen()
    until(lambda: health(blue) == "up", "blue is back")
    seen = tally(gateway, 400, lambda n: {"X-User": str(n)})
    assert_share(seen["blue"], 400, 70)
