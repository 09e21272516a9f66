# SIGUSR2: a new process takes over in place. What clients, replicas, operators and the service
# manager notice of it: nothing, nothing, a log line and another process number.

import json
import os
import signal
import socket
import ssl
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import revision, service
from harness.deployments import FLOWER, iris
from harness.http2 import Client
from harness.load import Load, StreamLoad
from harness.messages import LAST_CHUNK, Stream, chunk, compose
from harness.origin import echo, fixed, held
from harness.processes import Heir, is_alive, with_variable
from harness.waiting import until
from harness.wire import Connection, open_socket
from test_upgrades import ASK, shouting

pytestmark = pytest.mark.core


class Sealed(Connection):
    """A client of HTTP/1.1 over TLS."""

    def __init__(self, address, context, session=None):
        self.socket = context.wrap_socket(
            open_socket(address), server_hostname="test.local", session=session)
        self.stream = Stream(lambda: self.socket.recv(65536))


@pytest.fixture
def tls(folder):
    """A gateway's part with a listener that does TLS, and a client's context."""
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    listeners = {"listeners": [
        {"address": "127.0.0.1:0"},
        {"address": "127.0.0.2:0", "tls": {"certificate": made.certificate, "key": made.key}}]}
    return listeners, ssl.create_default_context(cafile=authority.certificate)


def pid_file(gateway):
    return int((gateway.state / "penstock.pid").read_text())


def test_another_process_serves_on_every_listener(start_origin, start_gateway, folder):
    path = f"unix:{folder}/front.sock"
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway={"listeners": [
        {"address": "127.0.0.1:0"}, {"address": "[::1]:0"}, {"address": path}]})
    before, ports = gateway.pid, gateway.addresses
    assert gateway.upgrade() and gateway.pid != before
    gateway.await_predecessors()
    assert not [event for event in gateway.events() if event["level"] == "error"]
    assert pid_file(gateway) == gateway.pid
    for address in ports:
        with Connection(address) as client:
            assert client.get().status == 200
    assert gateway.admin.get("/v1/services")


def test_it_fails_no_request_on_kept_and_on_fresh_connections(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(2)]
    gateway = start_gateway(service(*replicas), gateway={"workers": 3})
    with Load(gateway.address, clients=4) as kept, \
            Load(gateway.address, clients=3, per_connection=1) as fresh:
        for _ in range(3):
            kept.progress(50)
            fresh.progress(50)
            assert gateway.upgrade()
        kept.progress(50)
        fresh.progress(50)
    kept.assert_all_ok()
    fresh.assert_all_ok()
    gateway.await_predecessors()


def test_it_fails_no_stream_and_no_sealed_request(start_origin, start_gateway, tls):
    listeners, context = tls
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway=listeners)
    plain, sealed = gateway.addresses

    def shake_hands(address):
        return Sealed(address, context)
    with StreamLoad(plain, clients=3, connect=Client) as streams, \
            Load(sealed, clients=2, connect=shake_hands) as kept, \
            Load(sealed, clients=2, per_connection=1, connect=shake_hands) as fresh:
        for _ in range(2):
            for load in (streams, kept, fresh):
                load.progress(30)
            assert gateway.upgrade()
        for load in (streams, kept, fresh):
            load.progress(30)
    for load in (streams, kept, fresh):
        load.assert_all_ok()


def test_sessions_of_tls_are_resumed_by_the_new_process(start_origin, start_gateway, tls):
    listeners, context = tls
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway=listeners)
    with Sealed(gateway.addresses[1], context) as client:
        assert client.get().status == 200 and not client.socket.session_reused
        session = client.socket.session
    assert gateway.upgrade()
    gateway.await_predecessors()
    with Sealed(gateway.addresses[1], context, session) as client:
        assert client.get().status == 200 and client.socket.session_reused


def test_what_is_under_way_ends_well_in_the_old_process(start_origin, start_gateway):
    go, more = threading.Event(), threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"0"))
        assert more.wait(20)
        exchange.send(chunk(b"1") + LAST_CHUNK)

    def script(exchange):
        kinds = {"/stream": stream, "/chat": shouting, "/held": held(go)}
        kinds.get(exchange.request.target, echo)(exchange)
    gateway = start_gateway(service(start_origin(script), upgrades=["websocket"]))
    streaming, chatting, waiting, idle = (gateway.connect() for _ in range(4))
    streaming.send(compose(target="/stream"))
    streaming.response_head()
    assert streaming.chunk() == b"0" and idle.get().status == 200
    chatting.send(compose("GET", "/chat", ASK))
    assert chatting.response_head().status == 101
    waiting.send(compose(target="/held"))
    assert gateway.upgrade()
    [old] = gateway.predecessors
    # Its last answers say that they are the last.
    until(lambda: idle.get().header("connection") == "close", "the old process drains")
    idle.close()
    assert gateway.get().status == 200
    chatting.send(b"still here")
    assert chatting.stream.exactly(10) == b"STILL HERE"
    more.set()
    assert streaming.chunk() == b"1" and streaming.chunk() == b""
    assert old.poll() is None
    go.set()
    answer = waiting.response()
    assert answer.status == 200 and answer.header("connection") == "close"
    for client in (chatting, streaming, waiting):
        client.close()
    gateway.await_predecessors()


def test_what_waits_in_a_queue_is_served_whatever_the_number_of_workers(
        start_origin, start_gateway, folder):
    path = f"unix:{folder}/front.sock"
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway={
        "workers": 4, "listeners": [{"address": "127.0.0.1:0"}, {"address": path}]})
    for workers in (1, 3, 5):
        gateway.configuration["gateway"]["workers"] = workers
        gateway.write(gateway.configuration)
        old = gateway.process
        # It cannot accept while it is stopped, and is told to upgrade first when it goes on.
        old.send_signal(signal.SIGSTOP)
        clients = [Connection(address) for address in gateway.addresses for _ in range(60)]
        for client in clients:
            client.send(compose())
        old.send_signal(signal.SIGCONT)
        assert gateway.upgrade()
        assert [client.response().status for client in clients] == [200] * 120
        for client in clients:
            client.close()
        gateway.await_predecessors()
    with Load(gateway.address, clients=8, per_connection=1) as load:
        load.progress(200)
    load.assert_all_ok()


def test_a_listener_that_the_file_no_longer_has_is_drained_and_a_new_one_opened(
        start_origin, start_gateway, folder):
    old, new = f"unix:{folder}/old.sock", f"unix:{folder}/new.sock"
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway={"listeners": [
        {"address": "127.0.0.1:0"}, {"address": old}]})
    gateway.configuration["gateway"]["listeners"][1] = {"address": new}
    gateway.write(gateway.configuration)
    gateway.process.send_signal(signal.SIGSTOP)
    waiting = [Connection(old).send(compose()) for _ in range(100)]
    gateway.process.send_signal(signal.SIGCONT)
    assert gateway.upgrade()
    assert [client.response().status for client in waiting] == [200] * 100
    for client in waiting:
        client.close()
    with Connection(new) as client:
        assert client.get().status == 200
    gateway.await_predecessors()
    assert not os.path.exists(old.removeprefix("unix:"))
    with pytest.raises(OSError):
        Connection(old)


def test_what_was_set_at_run_time_holds_from_the_first_request(start_origin, start_gateway):
    stable, canary = start_origin(name="stable"), start_origin(name="canary")
    gateway = start_gateway(service(revisions=[
        revision("stable", 100, stable), revision("canary", 0, canary)]))
    gateway.admin.shift("echo", stable=0, canary=100)
    with Load(gateway.address, clients=4, per_connection=1) as load:
        for _ in range(3):
            load.progress(20)
            assert gateway.upgrade()
        load.progress(20)
    load.assert_all_ok()
    assert not stable.requests
    gateway.admin.shift("echo", stable=100, canary=0)
    assert gateway.get().json()["origin"] == "stable"


def test_replicas_live_on_and_are_taken_over(start_gateway):
    gateway = start_gateway(whole={
        "gateway": {"listeners": [{"address": "127.0.0.1:0"}]},
        "admin": {"listen": "127.0.0.1:0"}, "state": "state", "deployments": [iris()]})
    variable = "PENSTOCK_ADDRESS", f"unix:{gateway.state}/run/"
    before = sorted(with_variable(*variable))
    assert len(before) == 2
    for _ in range(2):
        assert gateway.upgrade()
        assert gateway.post("/iris/v2/models/iris/infer", FLOWER).status == 200
        gateway.await_predecessors()
        assert sorted(with_variable(*variable)) == before
    assert len(gateway.events("took over a running replica")) == 4
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(with_variable(*variable)) == 2 and not is_alive(before[0]),
          "the new process replaces one that ends")
    gateway.admin.send("PATCH", "/v1/deployments/iris", {"replicas": 1}, headers={
        "Content-Type": "application/json", "If-Match": "*"})
    until(lambda: len(with_variable(*variable)) == 1, "it obeys")


def test_the_service_manager_is_told_of_the_new_main_process(
        start_origin, start_gateway, folder):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    manager.settimeout(20)
    gateway = start_gateway(service(start_origin()),
                            environment={"NOTIFY_SOCKET": str(folder / "notify")})
    assert manager.recv(100) == b"READY=1"
    assert gateway.upgrade()
    # A word of the new process counts only once it is the main one.
    assert manager.recv(100) == f"MAINPID={gateway.pid}".encode()
    assert manager.recv(100) == b"READY=1"
    manager.close()


def test_told_to_stop_the_new_process_keeps_the_replicas_until_the_old_one_has_answered(
        start_gateway):
    gateway = start_gateway(whole={
        "gateway": {"listeners": [{"address": "127.0.0.1:0"}]},
        "admin": {"listen": "127.0.0.1:0"}, "state": "state",
        "deployments": [iris(replicas=1)]})
    with gateway.connect() as client:
        body = json.dumps(FLOWER).encode()
        client.send(compose("POST", "/iris/v2/models/iris/infer", {
            "Content-Length": str(len(body)), "Content-Type": "application/json"}) + body[:-1])
        assert gateway.upgrade()
        gateway.signal(signal.SIGTERM)
        until(lambda: gateway.events("draining"), "the new process drains")
        client.send(body[-1:])
        assert client.response().status == 200
    gateway.await_predecessors()
    assert gateway.wait() in (0, Heir.UNTOLD)
