# SIGTERM drains: what is under way ends well, nothing new begins, the exit follows the last answer
# and is bounded by the grace.

import pathlib
import signal
import socket
import threading

import pytest

from harness.configuration import service
from harness.frames import RawClient
from harness.load import Load
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import fixed, held
from harness.waiting import SLOWNESS, Stopwatch, until
from harness.wire import Connection

pytestmark = pytest.mark.core


def is_draining(gateway):
    answer = gateway.admin.send("GET", "/readyz", token="")
    return answer.status == 503 and "drain" in answer.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_at_once_and_leaves_nothing(start_origin, start_gateway, number):
    gateway = start_gateway(service(start_origin()))
    idle = gateway.connect()
    assert idle.get().status == 200
    watch = Stopwatch()
    gateway.signal(number)
    assert gateway.wait() == 0
    watch.assert_between(0, 2.5)
    assert idle.ending() == "end"
    assert not (gateway.state / "penstock.pid").exists()
    assert list((gateway.state / "run").iterdir()) == []


def loops(gateway):
    """The workers' threads that are there."""
    names = []
    for thread in pathlib.Path(f"/proc/{gateway.pid}/task").iterdir():
        try:
            names.append((thread / "comm").read_text())
        except OSError:
            pass  # It has just ended.
    return [name for name in names if name.startswith("loop-")]


def test_a_worker_that_has_ended_is_not_one_that_stalls(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose())
        until(lambda: replica.requests, "one worker has something to do")
        assert len(loops(gateway)) == 2
        gateway.signal(signal.SIGTERM)
        until(lambda: len(loops(gateway)) == 1, "the other ends")
        watch = Stopwatch()
        until(lambda: watch.seconds > 1, "a second has passed")
        assert gateway.admin.metrics().sum("penstock_loop_stall_seconds") < 0.5
        go.set()
        assert client.response().status == 200
    assert gateway.wait() == 0


def test_requests_and_streams_under_way_end_well(start_origin, start_gateway):
    go, events = threading.Event(), threading.Semaphore(0)

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"0"))
        for number in range(1, 5):
            assert events.acquire(timeout=20)
            exchange.send(chunk(b"%d" % number))
        exchange.send(LAST_CHUNK)

    def script(exchange):
        stream(exchange) if exchange.request.target == "/stream" else held(go)(exchange)
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    waiting = [gateway.connect() for _ in range(20)]
    for client in waiting:
        client.send(compose())
    streaming = gateway.connect()
    streaming.send(compose(target="/stream"))
    streaming.response_head()
    assert streaming.chunk() == b"0"
    until(lambda: len(replica.requests) == 21, "all are under way")
    gateway.signal(signal.SIGTERM)
    until(lambda: is_draining(gateway), "readiness says that it drains")
    for number in range(1, 5):
        events.release()
        assert streaming.chunk() == b"%d" % number
    assert streaming.chunk() == b""
    go.set()
    answers = [client.response() for client in waiting]
    watch = Stopwatch()
    assert [answer.status for answer in answers] == [200] * 20
    assert {answer.header("connection") for answer in answers} == {"close"}
    assert gateway.wait() == 0
    watch.assert_between(0, 0.5)


@pytest.mark.parametrize("waits_for_proxy", [False, True], ids=["idle", "before the PROXY header"])
def test_clients_that_ask_nothing_do_not_hold_up_the_end(
        start_origin, start_gateway, waits_for_proxy):
    go = threading.Event()
    replica = start_origin(held(go, fixed(b"ok")))
    gateway = start_gateway(service(replica), gateway={"listeners": [
        {"address": "127.0.0.1:0", "proxy_protocol": waits_for_proxy}]})
    header = "PROXY UNKNOWN\r\n" if waits_for_proxy else ""
    with gateway.connect() as client, gateway.connect():
        client.send(header).send(compose())
        until(lambda: replica.requests, "it is under way")
        gateway.signal(signal.SIGTERM)
        until(lambda: is_draining(gateway), "it drains")
        go.set()
        assert client.response().status == 200
        watch = Stopwatch()
        assert gateway.wait() == 0
        watch.assert_between(0, 0.6)


def test_a_client_that_only_talks_does_not_hold_up_the_end(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway={"workers": 1})
    with RawClient(gateway.address) as talking, gateway.connect():
        talking.pinged()
        gateway.signal(signal.SIGTERM)
        watch, count = Stopwatch(), 0
        with pytest.raises((EOFError, ConnectionResetError, BrokenPipeError)):
            while True:
                talking.pinged()
                count += 1
                until(lambda: watch.seconds > count * 0.02, "a moment passes")
        assert gateway.wait() == 0
        watch.assert_between(0, 1.5)


def test_nothing_new_is_accepted_while_it_drains(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose())
        until(lambda: replica.requests, "one request is under way")
        gateway.signal(signal.SIGTERM)
        until(lambda: is_draining(gateway), "it drains")

        def is_refused():
            try:
                Connection(gateway.address).close()
                return False
            except ConnectionRefusedError:
                return True
        until(is_refused, "the listener is closed")
        go.set()
        assert client.response().status == 200
    assert gateway.wait() == 0


def test_the_grace_bounds_a_drain(start_origin, start_gateway):
    replica = start_origin(lambda exchange: exchange.client_left())
    gateway = start_gateway(service(replica), gateway={"timeouts": {"drain": "500ms"}})
    with gateway.connect() as client:
        client.send(compose())
        until(lambda: replica.requests, "it is under way")
        watch = Stopwatch()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        watch.assert_between(0.5, 2.5)
        try:
            assert client.response().status in (502, 503, 504)
        except (EOFError, ConnectionResetError):
            pass


def test_a_second_signal_ends_at_once(start_origin, start_gateway):
    replica = start_origin(lambda exchange: exchange.client_left())
    gateway = start_gateway(service(replica), gateway={"timeouts": {"drain": "60s"}})
    with gateway.connect() as client:
        client.send(compose())
        until(lambda: replica.requests, "it is under way")
        gateway.signal(signal.SIGTERM)
        until(lambda: is_draining(gateway), "it drains")
        watch = Stopwatch()
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        assert watch.seconds < 2 * SLOWNESS


def test_a_stop_under_load_answers_whatever_it_accepted(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica))
    with Load(gateway.address, clients=6) as load:
        load.progress(300)
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
    # Once the listener is closed, connecting is refused; nothing else may fail.
    assert set(load.statuses) == {200}
    other = [f for f in load.failures if not f.startswith("ConnectionRefusedError")]
    assert not other, other[:3]


def test_a_successor_may_take_a_unix_listener_over_while_its_predecessor_drains(
        start_origin, start_gateway, folder):
    go = threading.Event()
    slow, quick = start_origin(held(go)), start_origin(fixed(b"ok"))
    listeners = {"listeners": [{"address": f"unix:{folder}/front.sock"}]}
    old = start_gateway(service(slow), gateway=listeners)
    client = old.connect()
    client.send(compose())
    until(lambda: slow.requests, "it is under way")
    old.signal(signal.SIGTERM)
    until(lambda: is_draining(old), "it drains")
    new = start_gateway(service(quick), gateway=listeners)
    assert new.get().status == 200
    go.set()
    assert client.response().status == 200
    assert old.wait() == 0
    assert new.get().status == 200
    client.close()


def test_connections_in_the_backlog_are_not_lost(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica))
    # Stopped, the gateway accepts nothing: all of them are in the queue when it goes on.
    gateway.signal(signal.SIGSTOP)
    clients = [gateway.connect() for _ in range(300)]
    for client in clients:
        client.send(compose())
    gateway.signal(signal.SIGTERM)
    gateway.signal(signal.SIGCONT)
    assert [client.response().status for client in clients] == [200] * 300
    assert gateway.wait() == 0


def test_readiness_is_told_to_a_service_manager(start_origin, start_gateway, folder):
    path = str(folder / "notify.sock")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(20)
    gateway = start_gateway(service(start_origin()), environment={"NOTIFY_SOCKET": path})
    assert b"READY=1" in manager.recv(4096)
    gateway.settle()
    gateway.signal(signal.SIGTERM)
    assert b"STOPPING=1" in manager.recv(4096)
    assert gateway.wait() == 0
    manager.close()
