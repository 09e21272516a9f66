# Which replicas are asked at all: active checks, passive ejection, drains, and what happens when
# none is left.

import itertools
import threading

import pytest

from harness.configuration import fast_health, service
from harness.load import Load
from harness.messages import compose
from harness.origin import echo, fixed, held, resetting
from harness.waiting import Stopwatch, until

pytestmark = pytest.mark.core


class Checked:
    """A script whose answer to checks is a switch; other requests are echoed."""

    def __init__(self, path="/health"):
        self.path, self.status, self.probes = path, 200, 0

    def __call__(self, exchange):
        if exchange.request.target == self.path:
            self.probes += 1
            exchange.answer(self.status, b"checked")
        else:
            echo(exchange)


def health_of(gateway, replica):
    return gateway.admin.endpoints()[replica.address]["health"]


def served_by(gateway, requests=12):
    return {gateway.get("/x").json()["origin"] for _ in range(requests)}


@pytest.mark.parametrize("kind,path", [
    ("http", "/healthz"), ("open_inference", "/v2/health/ready")])
def test_a_replica_that_fails_its_checks_gets_nothing_until_it_passes_again(
        start_origin, start_gateway, kind, path):
    scripts = [Checked(path), Checked(path)]
    replicas = [start_origin(script, name=f"r{n}") for n, script in enumerate(scripts)]
    health = fast_health(kind, **({"path": path} if kind == "http" else {}))
    gateway = start_gateway(service(*replicas, health=health))
    until(lambda: health_of(gateway, replicas[0]) == "up", "the first checks have passed")
    scripts[0].status = 503
    until(lambda: health_of(gateway, replicas[0]) == "down", "three checks have failed")
    assert served_by(gateway) == {"r1"}
    assert gateway.admin.metrics().sum(
        "penstock_endpoint_up", endpoint=replicas[0].address) == 0
    scripts[0].status = 200
    until(lambda: health_of(gateway, replicas[0]) == "up", "two checks have passed")
    assert served_by(gateway) == {"r0", "r1"}


def test_a_tcp_check_is_content_with_a_connection(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"x", 500)), start_origin(fixed(b"x", 500))]
    gateway = start_gateway(service(*replicas, health=fast_health("tcp")))
    until(lambda: health_of(gateway, replicas[0]) == "up", "a connection is enough")
    replicas[0].refuse()
    until(lambda: health_of(gateway, replicas[0]) == "down", "refused three times")
    replicas[0].listen()
    until(lambda: health_of(gateway, replicas[0]) == "up", "accepted twice")
    assert not replicas[0].requests, "a check of this type sends no request"


def test_a_check_that_is_not_answered_in_time_has_failed(start_origin, start_gateway):
    go = threading.Event()
    slow, quick = start_origin(held(go, fixed(b"late"))), start_origin(fixed(b"ok"))
    gateway = start_gateway(service(
        slow, quick, health=fast_health(path="/health", timeout="60ms")))
    until(lambda: health_of(gateway, slow) == "down", "three checks were late")
    assert "time" in gateway.admin.endpoints()[slow.address]["last_error"].lower()
    go.set()
    until(lambda: health_of(gateway, slow) == "up", "checks are in time again")


def test_the_interval_runs_from_one_check_to_the_next_however_long_they_take(
        start_origin, start_gateway):
    answered, watches = threading.Event(), []

    def script(exchange):
        if not watches:  # Frozen right behind a good check: the worst moment.
            exchange.answer(200, b"ok")
            if answered.is_set():
                watches.append(Stopwatch())
        else:
            exchange.client_left()
    replica = start_origin(script)
    gateway = start_gateway(service(replica, health={
        "path": "/health", "interval": "400ms", "timeout": "400ms", "fall": 2}))
    until(lambda: health_of(gateway, replica) == "up", "it is up")
    answered.set()
    until(lambda: health_of(gateway, replica) == "down", "two checks were not answered")
    # The rest of an interval and twice the time for an answer, one right behind the other.
    watches[0].assert_between(1.1, 1.45)


def test_an_endpoint_is_usable_until_checks_say_otherwise(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        if exchange.request.target == "/health":
            exchange.wait(go)
        exchange.answer(200, b"ok")
    gateway = start_gateway(service(start_origin(script), health={
        "path": "/health", "interval": "10s", "timeout": "9s"}))
    assert gateway.get("/early").body == b"ok"
    go.set()


def test_checks_are_made_once_per_endpoint_whatever_the_workers(start_origin, start_gateway):
    script = Checked()
    gateway = start_gateway(service(start_origin(script), health={
        "path": "/health", "interval": "10s", "timeout": "1s"}), gateway={"workers": 4})
    until(lambda: script.probes, "the first check comes at once")
    assert gateway.get("/x").status == 200
    assert script.probes == 1


def test_replicas_that_fail_in_a_row_are_ejected_and_return(start_origin, start_gateway):
    scripts = [Checked(), Checked()]
    replicas = [start_origin(script, name=f"r{n}") for n, script in enumerate(scripts)]
    gateway = start_gateway(service(
        *replicas, retry={"attempts": 1}, ejection={"failures": 3, "base": "600ms"}))
    replicas[0].script = fixed(b"broken", 500)
    statuses = [gateway.get("/x").status for _ in range(20)]
    assert 3 <= statuses.count(500) <= 5, "each worker may have one more under way"
    endpoint = gateway.admin.endpoints()[replicas[0].address]
    assert endpoint["ejected"] is True
    assert gateway.admin.metrics().sum("penstock_endpoint_ejected") == 1
    replicas[0].script = scripts[0]
    until(lambda: not gateway.admin.endpoints()[replicas[0].address]["ejected"],
          "the ejection ends by itself")
    assert served_by(gateway) == {"r0", "r1"}


def test_an_outlier_is_found_while_requests_wait_for_slots(start_origin, start_gateway):
    def answering(statuses):
        def script(exchange):
            watch = Stopwatch()
            until(lambda: watch.seconds > 0.01, "an answer takes a while")
            exchange.answer(next(statuses))
        return script
    replicas = [start_origin(answering(itertools.cycle(statuses)))
                for statuses in ([200, 500], [200], [200])]
    gateway = start_gateway(
        service(*({"address": replica.address, "concurrency": 1} for replica in replicas),
                ejection={"failures": 50, "base": "30s"}),
        gateway={"workers": 1})
    with Load(gateway.address, clients=30):
        until(lambda: gateway.admin.metrics().sum("penstock_endpoint_ejected") == 1,
              "the replica that fails every second request is ejected")


def test_ejection_never_takes_more_than_its_share_and_never_the_last(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"broken", 500)) for _ in range(4)]
    gateway = start_gateway(service(
        *replicas, retry={"attempts": 1}, ejection={"failures": 1, "base": "60s", "max": "50%"}))
    for _ in range(40):
        assert gateway.get().status == 500
    ejected = [e["ejected"] for e in gateway.admin.endpoints().values()]
    assert ejected.count(True) == 2
    alone = start_gateway(service(start_origin(fixed(b"broken", 500)), ejection={
        "failures": 1, "max": "100%"}))
    assert [alone.get().status for _ in range(10)] == [500] * 10
    assert not next(iter(alone.admin.endpoints().values()))["ejected"]


def test_client_errors_eject_nobody(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"no", 404)) for _ in range(2)]
    gateway = start_gateway(service(*replicas, ejection={"failures": 2}))
    assert [gateway.get().status for _ in range(20)] == [404] * 20
    assert gateway.admin.metrics().sum("penstock_endpoint_ejected") == 0


def test_when_no_replica_is_usable_all_are_tried(start_origin, start_gateway):
    scripts = [Checked(), Checked()]
    for script in scripts:
        script.status = 503
    replicas = [start_origin(script, name=f"r{n}") for n, script in enumerate(scripts)]
    gateway = start_gateway(service(*replicas, health=fast_health(path="/health")))
    until(lambda: gateway.admin.metrics().sum("penstock_service_panicking") == 1, "panic")
    assert served_by(gateway) == {"r0", "r1"}, "they answer requests, if not their checks"
    scripts[0].status = 200
    until(lambda: health_of(gateway, replicas[0]) == "up", "one good check is enough")
    assert served_by(gateway) == {"r0"}


def test_a_drained_endpoint_finishes_what_it_has_and_gets_no_more(start_origin, start_gateway):
    go = threading.Event()
    drained, other = start_origin(held(go), name="drained"), start_origin(name="other")
    gateway = start_gateway(
        service(drained, other, balancing={"algorithm": "round_robin"}), gateway={"workers": 1})
    clients = [gateway.connect() for _ in range(2)]
    for client in clients:
        client.send(compose())
    until(lambda: drained.requests, "one is under way")
    answer = gateway.admin.drain("echo", drained.address)
    assert answer["drained"] is True
    assert {gateway.get().json()["origin"] for _ in range(10)} == {"other"}
    go.set()
    assert {client.response().status for client in clients} == {200}
    assert len(drained.requests) == 1
    gateway.admin.undrain("echo", drained.address)
    assert {gateway.get().json()["origin"] for _ in range(10)} == {"drained", "other"}


def test_a_drain_survives_restart_and_reload(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(2)]
    gateway = start_gateway(service(*replicas))
    gateway.admin.drain("echo", replicas[0].address)
    gateway.settle()
    gateway.stop()
    gateway.start()
    assert served_by(gateway) == {"r1"}
    assert gateway.reload()
    assert served_by(gateway) == {"r1"}


def test_draining_under_load_fails_nothing(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(3)]
    gateway = start_gateway(service(*replicas))
    with Load(gateway.address, clients=4) as load:
        for _ in range(4):
            gateway.admin.drain("echo", replicas[0].address)
            load.progress(40)
            gateway.admin.undrain("echo", replicas[0].address)
            load.progress(40)
    load.assert_all_ok()


def test_a_flapping_replica_under_load_fails_no_get(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(3)]
    gateway = start_gateway(service(
        *replicas, health=fast_health(path="/health"), ejection={"failures": 3, "base": "100ms"}))
    with Load(gateway.address, clients=4) as load:
        for _ in range(3):
            replicas[0].die()
            load.progress(100)
            replicas[0].listen()
            load.progress(100)
            replicas[1].script = resetting
            load.progress(100)
            replicas[1].script = fixed(b"ok")
    load.assert_all_ok()
