# What is too much is refused early and clearly: heads, targets, fields, bodies, connections, and
# requests that wait.

import threading

import pytest

from harness.configuration import service
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import held
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, Stopwatch, until

pytestmark = pytest.mark.core


def limited(**limits):
    return {"limits": limits}


def test_a_head_over_the_limit_is_431_and_one_below_passes(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=limited(request_head="4KiB"))
    assert gateway.get("/", {"X": "y" * 3500}).status == 200
    for _ in range(2):
        with gateway.connect() as client:
            answer = client.get("/", {"X": "y" * 5000})
            assert answer.status == 431 and answer.error == "head_too_large"
            assert answer.header("connection") == "close"
    assert len(replica.requests) == 1


def test_a_head_without_an_end_is_refused_at_the_limit(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=limited(request_head="4KiB"))
    with gateway.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + "y" * 5000)
        assert client.response().status == 431


def test_too_many_fields_are_431(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=limited(headers=20))
    assert gateway.get("/", [(f"X-{n}", "y") for n in range(19)]).status == 200
    answer = gateway.get("/", [(f"X-{n}", "y") for n in range(20)])
    assert answer.status == 431 and answer.error == "too_many_fields"


def test_a_body_announced_over_the_limit_is_413_before_it_is_sent(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=limited(request_body="1KiB"))
    assert gateway.post("/", b"x" * 1024).status == 200
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": "1025"}))
        answer = client.response()
        assert answer.status == 413 and answer.error == "body_too_large"
        assert client.ending() in ("end", "reset")
    assert len(replica.requests) == 1


def test_a_chunked_body_is_cut_off_at_the_limit(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=limited(request_body="1KiB"))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}))
        client.send(chunk(b"x" * 700) + chunk(b"x" * 700) + LAST_CHUNK)
        answer = client.response()
        assert answer.status == 413 and answer.error == "body_too_large"
    assert all(request.body == b"" for request in replica.requests)
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}))
        client.send(chunk(b"x" * 700) + chunk(b"x" * 324) + LAST_CHUNK)
        assert client.response().status == 200


def test_the_client_of_an_early_refusal_can_read_it_while_it_still_sends(
        start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=limited(request_body="1KiB"))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": "3000000"}))

        def upload():
            try:
                client.send(b"x" * 3_000_000)
            except OSError:
                pass  # Closed on us, as it should be in the end.
        threading.Thread(target=upload, daemon=True).start()
        assert client.response().status == 413


def test_refusals_that_nobody_reads_cost_no_memory(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(), routes=[{"path": "/known"}]))
    gateway.get("/unknown")
    before = resident_bytes(gateway.pid)
    requests, sent, watch = compose(target="/unknown") * 1000, 0, Stopwatch()
    with gateway.connect(receive_buffer=4096) as client:
        client.socket.setblocking(False)

        def is_held_back():
            nonlocal sent
            try:
                while sent < 64 * 1024 * 1024:
                    # What is cut off here is the end of one request's head and nobody minds.
                    sent += client.socket.send(requests[sent % len(requests):])
                    watch.restart()
            except BlockingIOError:
                return watch.seconds > 0.5
            return True
        until(is_held_back, "the gateway reads no further")
        assert sent < 32 * 1024 * 1024
        assert resident_bytes(gateway.pid) - before < 4 * 1024 * 1024 * LARGENESS
        client.reset()


def test_pipelined_refusals_are_read_to_the_end_by_a_slow_client(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(), routes=[{"path": "/known"}]))
    count = 4000
    requests = [compose(target="/known" if number % 50 == 0 else "/unknown",
                        headers={"X-Request-Id": f"r{number}"}) for number in range(count)]
    with gateway.connect(receive_buffer=4096) as client:
        sender = threading.Thread(target=client.send, args=(b"".join(requests),))
        sender.start()
        for number in range(count):
            answer = client.response()
            assert answer.header("x-request-id") == f"r{number}"
            assert answer.status == (200 if number % 50 == 0 else 404)
        sender.join()


def test_connections_over_the_limit_get_a_503_at_once_and_later_ones_are_served(
        start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=limited(connections=8))
    clients = [gateway.connect() for _ in range(8)]
    assert [client.get().status for client in clients] == [200] * 8
    with gateway.connect() as extra:
        answer = extra.response()
        assert answer.status == 503 and answer.error == "connection_limit"
        assert int(answer.header("retry-after")) >= 1
        assert extra.ending() in ("end", "reset")
    assert gateway.admin.metrics().sum("penstock_connections_refused_total") >= 1
    assert [client.get().status for client in clients] == [200] * 8
    for client in clients:
        client.close()
    until(lambda: gateway.get().status == 200, "there is room again")


def test_requests_wait_for_a_slot_in_order_and_never_exceed_it(start_origin, start_gateway):
    go, most = threading.Semaphore(0), []
    working = [0]
    lock = threading.Lock()

    def script(exchange):
        with lock:
            working[0] += 1
            most.append(working[0])
        assert go.acquire(timeout=30)
        with lock:
            working[0] -= 1
        exchange.answer(200)
    replica = start_origin(script)
    gateway = start_gateway(service({"address": replica.address, "concurrency": 2}))
    clients = [gateway.connect() for _ in range(10)]
    for client in clients:
        client.send(compose())
    until(lambda: gateway.admin.metrics().sum("penstock_requests_pending") == 8, "eight wait")
    until(lambda: len(replica.requests) == 2, "two are being worked on")
    for _ in range(10):
        go.release()
    assert [client.response().status for client in clients] == [200] * 10
    assert max(most) == 2


def test_more_waiting_requests_than_allowed_are_503(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service({"address": replica.address, "concurrency": 1}),
                            gateway=limited(pending=2))
    clients = [gateway.connect() for _ in range(3)]
    for client in clients:
        client.send(compose())
    until(lambda: gateway.admin.metrics().sum("penstock_requests_pending") == 2, "two wait")
    answer = gateway.get()
    assert answer.status == 503 and answer.error == "overloaded"
    assert int(answer.header("retry-after")) >= 1
    go.set()
    assert [client.response().status for client in clients] == [200] * 3


def test_a_waiting_client_that_leaves_gives_up_its_place(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service({"address": replica.address, "concurrency": 1}))
    first, second, third = (gateway.connect() for _ in range(3))
    pending = lambda: gateway.admin.metrics().sum("penstock_requests_pending")
    first.send(compose(target="/first"))
    until(lambda: replica.requests, "the first is at work")
    second.send(compose(target="/second"))
    until(lambda: pending() == 1, "the second waits")
    third.send(compose(target="/third"))
    until(lambda: pending() == 2, "the third waits")
    second.close()
    until(lambda: pending() == 1, "the second has left")
    go.set()
    assert first.response().status == 200 and third.response().status == 200
    assert [r.target for r in replica.requests] == ["/first", "/third"]
