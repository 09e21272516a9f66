# When the machine has no more: descriptors, disk, the database. The gateway serves what it can,
# says what it cannot, neither spins nor leaks, and recovers by itself.

import os
import resource
import signal
import sqlite3
import threading

import pytest

from harness.certificates import make_certificate
from harness.configuration import fast_health, service
from harness.http2 import echo2
from harness.load import Load
from harness.messages import Truncated, compose
from harness.origin import echo, fixed, held
from harness.processes import descriptors, processor_seconds, resident_bytes
from harness.waiting import LARGENESS, SLOWNESS, Stopwatch, until
from harness.wire import open_socket

pytestmark = pytest.mark.core


def few_descriptors(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def test_with_no_descriptor_left_it_survives_says_so_and_recovers(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go, fixed(b"ok")))
    gateway = start_gateway(service(replica), preexec=few_descriptors(120))
    clients = []
    for _ in range(110):
        client = gateway.connect()
        client.send(compose())
        clients.append(client)
    until(lambda: not_yet_answered(clients) + answered(clients) == 110 and
          (descriptors(gateway.pid) >= 110 or answered(clients) > 0), "descriptors run out")
    busy, watch = processor_seconds(gateway.pid), Stopwatch()
    until(lambda: watch.seconds > 1, "a second has passed")
    # No spinning; a tenth of a core is what polling and a debug build may cost.
    assert processor_seconds(gateway.pid) - busy < 0.25 * SLOWNESS
    go.set()
    statuses = [status_of(client) for client in clients]
    assert statuses.count(200) >= 20 and set(statuses) <= {200, 502, 503, "cut"}
    for client in clients:
        client.close()
    watch = Stopwatch()
    until(lambda: status_of_new(gateway) == 200, "it is served again")
    assert watch.seconds < 1 * SLOWNESS


def test_no_replica_is_blamed_for_descriptors_that_are_missing_here(start_origin, start_gateway):
    go = threading.Event()
    replicas = [start_origin(held(go, fixed(b"ok"))) for _ in range(2)]
    gateway = start_gateway(
        service(*replicas, health=fast_health("tcp", fall=1), ejection={"failures": 1}),
        preexec=few_descriptors(120))
    clients = []
    for _ in range(110):
        client = gateway.connect()
        client.send(compose())
        clients.append(client)
    until(lambda: any(status_of(client) == 503 for client in clients if client.peek()),
          "descriptors run out")
    watch = Stopwatch()
    until(lambda: watch.seconds > 0.5, "checks have wanted descriptors, too")
    go.set()
    for client in clients:
        client.reset()
    until(lambda: status_of_new(gateway) == 200, "it is served again")
    assert not [event for event in gateway.events() if "is down" in event["message"]]
    states = gateway.admin.endpoints().values()
    assert [(state["health"], state["ejected"]) for state in states] == [("up", False)] * 2


def test_nor_is_one_over_http2(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(
        service(ejection={"failures": 1}, revisions=[{
            "name": "stable", "protocol": "h2", "endpoints": [replica.address]}]),
        gateway={"workers": 1}, preexec=few_descriptors(120))
    clients = [gateway.connect() for _ in range(125)]
    until(lambda: any(client.peek() for client in clients), "descriptors run out")
    clients[0].send(compose())
    answer = clients[0].response()
    assert (answer.status, answer.error) == (503, "descriptors_exhausted")
    for client in clients:
        client.close()
    until(lambda: status_of_new(gateway) == 200, "it is served again")
    assert gateway.admin.metrics().sum("penstock_tries_total", outcome="transport") == 0
    assert not gateway.admin.endpoints()[replica.address]["ejected"]


def test_more_workers_than_descriptors_are_refused_at_the_start(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin()), gateway={"workers": 64}, preexec=few_descriptors(120),
        launch_only=True)
    assert gateway.wait(30) == 1
    assert "descriptor" in "\n".join(gateway.log.complete())


def answered(clients):
    return sum(bool(client.stream.buffer) or not client.is_open() for client in clients)


def not_yet_answered(clients):
    return len(clients) - answered(clients)


def status_of(client):
    try:
        return client.response().status
    except (EOFError, ConnectionResetError, Truncated):
        return "cut"


def status_of_new(gateway):
    try:
        return gateway.get().status
    except OSError:
        return None


def test_a_full_disk_refuses_changes_and_traffic_flows(start_origin, start_gateway):
    def ignore_the_signal():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), preexec=ignore_the_signal)
    address = next(iter(gateway.admin.endpoints()))
    path = f"/v1/services/echo/endpoints/{address}:drain"
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    with Load(gateway.address, clients=2) as load:
        for _ in range(3):
            refused = gateway.admin.send("POST", path)
            assert refused.status == 503, refused.text
            assert refused.json()["code"] == "STATE_UNAVAILABLE"
        load.progress(50)
    load.assert_all_ok()
    assert gateway.admin.endpoints()[address]["drained"] is False
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, unlimited)
    assert gateway.admin.drain("echo", address)["drained"] is True
    gateway.admin.undrain("echo", address)


def test_a_locked_database_refuses_changes_and_traffic_flows(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    address = next(iter(gateway.admin.endpoints()))
    other = sqlite3.connect(gateway.state / "penstock.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with Load(gateway.address, clients=2) as load:
        refused = gateway.admin.send("POST", f"/v1/services/echo/endpoints/{address}:drain")
        assert refused.status == 503 and refused.json()["code"] == "STATE_UNAVAILABLE"
        load.progress(50)
    load.assert_all_ok()
    other.execute("ROLLBACK")
    other.close()
    gateway.admin.drain("echo", address)
    gateway.admin.undrain("echo", address)


def test_a_thousand_idle_connections_cost_little(start_origin, start_gateway):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    for _ in range(50):
        gateway.get()
    gateway.settle()
    before = resident_bytes(gateway.pid)
    clients = [gateway.connect() for _ in range(1000)]
    for client in clients[::10]:
        assert client.get().status == 200
    until(lambda: gateway.admin.metrics().sum("penstock_connections_open") == 1000, "all are in")
    grown = resident_bytes(gateway.pid) - before
    for client in clients:
        client.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert grown < (1000 * 4096 + 2 * 1024 * 1024) * LARGENESS


def test_everything_bad_one_after_another_leaks_nothing(start_origin, start_gateway):
    def script(exchange):
        target = exchange.request.target
        if target.startswith("/cut"):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            exchange.connection.close()
        elif target.startswith("/reset"):
            exchange.connection.reset()
        elif target.startswith("/junk"):
            exchange.send(b"junk\r\n\r\n")
            exchange.connection.close()
        elif target.startswith("/leave"):
            exchange.client_left()
        else:
            echo(exchange)
    replicas = [start_origin(script), start_origin(script)]
    gateway = start_gateway(service(*replicas, ejection={"failures": 0}))
    everything_bad(gateway, 30)
    gateway.settle()
    until(lambda: gateway.admin.metrics().sum("penstock_connections_open") == 0, "all are gone")
    before = resident_bytes(gateway.pid), descriptors(gateway.pid)
    everything_bad(gateway, 150)
    gateway.settle()
    until(lambda: gateway.admin.metrics().sum("penstock_connections_open") == 0, "all are gone")
    grown = resident_bytes(gateway.pid) - before[0]
    assert grown < max(0.05 * before[0], 3 * 1024 * 1024) * LARGENESS
    assert descriptors(gateway.pid) <= before[1] + 8
    assert gateway.get("/fine").status == 200


def everything_bad(gateway, rounds):
    for number in range(rounds):
        for target in ("/cut", "/reset", "/junk"):
            try:
                gateway.post(f"{target}/{number}", b"x" * 100)
            except (EOFError, ConnectionResetError, Truncated):
                pass
        for data in (b"GET / HTTP/1.1\n\n", b"\x00" * 50, compose("POST", "/", {
                "Transfer-Encoding": "chunked"}) + b"zz\r\n"):
            with gateway.connect() as client:
                client.send(data)
                try:
                    client.response()
                except (EOFError, ConnectionResetError):
                    pass
        leaving = gateway.connect()
        leaving.send(compose(target="/leave"))
        leaving.reset()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(
    os.environ.get("PENSTOCK_SANITIZER") == "thread",
    reason="ThreadSanitizer's allocator gives nothing back to the system")
def test_what_bursts_of_handshakes_took_is_given_back(
        folder, start_origin, start_gateway, many_descriptors):
    made = make_certificate(folder, "test.local", None)
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway={
        "listeners": [{"address": "127.0.0.1:0", "tls": {
            "certificate": made.certificate, "key": made.key}}],
        "timeouts": {"request_head": "2s"}})
    before, peak = resident_bytes(gateway.pid), 0
    for _ in range(2):
        waiting = [open_socket(gateway.address) for _ in range(3_000)]
        for client in waiting:
            client.sendall(b"\x16\x03\x01")
        for client in waiting:
            peak = max(peak, resident_bytes(gateway.pid))
            assert client.recv(100) == b"", "its time is over"
            client.close()
    assert peak > before + 40_000_000
    # What is less than this is not looked for; records of connections are kept for the next.
    until(lambda: resident_bytes(gateway.pid) < before + 22_000_000 * LARGENESS,
          lambda: f"{before} bytes before, {peak} at most, {resident_bytes(gateway.pid)} now",
          seconds=60)
    print(f"{before} bytes before, {peak} at most, {resident_bytes(gateway.pid)} now")
