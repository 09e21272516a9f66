# HTTP/2 with prior knowledge, towards clients and towards replicas: one exchange, whatever carries
# it on either side.

import base64
import json
import signal
import threading
import time

import h2.events
import pytest

from h2.settings import SettingCodes

from harness.configuration import service
from harness.http2 import CODES, Client, echo2
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import echo, held
from harness.waiting import until

pytestmark = pytest.mark.core

MiB = 1024 * 1024


def over_http2(*origins, **more):
    """A service whose replicas speak HTTP/2."""
    return service(revisions=[{
        "name": "stable", "protocol": "h2",
        "endpoints": [origin.address for origin in origins]}], **more)


def told(answer):
    """What the HTTP/1.1 echo says it received."""
    return json.loads(answer.body)


# --- clients ----------------------------------------------------------------------------------


def test_a_request_over_http2_reaches_a_replica_over_http1(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(echo)))
    with Client(gateway.address) as client:
        answer = client.request("GET", "/a?b=c", {"x-thing": "one"}, authority="example.com")
    assert answer.status == 200
    seen = told(answer)
    assert (seen["method"], seen["target"], seen["version"]) == ("GET", "/a?b=c", "HTTP/1.1")
    headers = {name.lower(): value for name, value in seen["headers"]}
    assert headers["host"] == "example.com"
    assert headers["x-thing"] == "one"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "example.com"
    assert answer.header("x-request-id") == headers["x-request-id"]
    assert not answer.headers.has("connection")
    assert not answer.headers.has("transfer-encoding")


@pytest.mark.parametrize("size", [0, 1, 1000, 65_535, 65_536, 300_000, 3 * MiB])
@pytest.mark.parametrize("has_length", [True, False])
def test_a_body_arrives_whole(start_origin, start_gateway, size, has_length):
    body = bytes(i * 7 & 0xFF for i in range(997)) * (size // 997 + 1)
    body = body[:size]

    def script(exchange):
        exchange.answer(200, exchange.read_body())
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with Client(gateway.address) as client:
        headers = {"content-length": str(size)} if has_length else {}
        answer = client.request("POST", "/", headers, body)
    assert answer.status == 200
    assert answer.body == body
    assert replica.last.headers.has("content-length" if has_length else "transfer-encoding")


def test_many_streams_of_one_connection_are_served_side_by_side(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    with Client(gateway.address) as client:
        streams = [client.begin("GET", f"/{number}") for number in range(100)]
        until(lambda: len(replica.requests) == 100, "all of them arrive")
        go.set()
        for number, stream in enumerate(streams):
            answer = client.answer(stream)
            assert answer.status == 200 and told(answer)["target"] == f"/{number}"


def test_an_answer_of_unknown_length_and_its_trailers_pass(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n")
        exchange.send(chunk(b"one") + chunk(b"two") + b"0\r\nx-sum: 6\r\n\r\n")
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        answer = client.request()
    assert answer.body == b"onetwo"
    assert answer.trailers.get("x-sum") == "6"


def test_events_pass_at_once(start_origin, start_gateway):
    told = threading.Semaphore(0)

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(20):
            assert told.acquire(timeout=20)
            exchange.send(chunk(b"data: %d\n\n" % number))
        exchange.send(LAST_CHUNK)
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        stream = client.begin()
        answer = client.head(stream)
        for number in range(20):
            told.release()
            client.until(lambda: len(answer.pieces) == number + 1)
            assert answer.pieces[-1] == b"data: %d\n\n" % number
        client.answer(stream)


def test_a_client_that_takes_nothing_holds_its_replica_back(start_origin, start_gateway):
    sent = [0]

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(50):
            exchange.send(bytes(1_000_000))
            sent[0] += 1
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        client.acknowledges = False
        stream = client.begin()
        answer = client.answers[stream]
        client.until(lambda: len(answer.body) == 65_535)
        # Another stream is not held back, but for the connection's window, which is used up.
        assert sent[0] < 20
        client.acknowledges = True
        client.h2.acknowledge_received_data(65_535, stream)
        client.flush()
        client.answer(stream)
        assert len(answer.body) == 50_000_000


def test_a_cancelled_stream_cancels_the_replica(start_origin, start_gateway):
    left = threading.Event()

    def script(exchange):
        exchange.read_body()
        exchange.client_left()
        left.set()
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with Client(gateway.address) as client:
        stream = client.begin()
        other = client.begin("GET", "/other")
        until(lambda: len(replica.requests) == 2, "both are under way")
        client.cancel(stream)
        assert left.wait(20)
        client.cancel(other)


def test_a_cut_answer_resets_its_stream_only(start_origin, start_gateway):
    def script(exchange):
        if exchange.request.target == "/cut":
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            exchange.connection.close()
        else:
            exchange.answer(200, b"whole")
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        answer = client.answer(client.begin("GET", "/cut"))
        assert answer.reset is not None and not answer.ended
        assert client.request("GET", "/whole").body == b"whole"


@pytest.mark.parametrize("path,status,code", [("/none", 404, "no_route")])
def test_refusals_are_answers_of_their_stream(start_origin, start_gateway, path, status, code):
    gateway = start_gateway(service(start_origin(echo), routes=[{"path": "/only"}]))
    with Client(gateway.address) as client:
        answer = client.request("GET", path)
        assert answer.status == status and answer.error == code
        assert json.loads(answer.body)["code"] == code
        upload = client.request("POST", path, {}, bytes(100_000))
        assert upload.status == status
        assert client.request("GET", "/only/x").status == 200


def test_a_body_beyond_the_limit_is_refused(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin(echo)), gateway={"limits": {"request_body": "100KB"}})
    with Client(gateway.address) as client:
        stream = client.begin("POST", "/", ends=False)
        try:
            client.data(stream, bytes(150_000), ends=True)
        except Exception:
            pass  # The stream may be reset while it is being sent on.
        answer = client.answer(stream)
        assert answer.status == 413
        assert client.request("GET", "/").status == 200


def test_a_model_in_the_body_routes_over_http2_too(start_origin, start_gateway):
    iris, other = start_origin(echo), start_origin(echo)
    gateway = start_gateway(
        service(iris, name="iris", routes=[{"model": "iris"}]),
        service(other, name="other", routes=[{"path": "/"}]))
    body = b'{"messages": [' + b" " * 20_000 + b'], "model": "iris"}'
    with Client(gateway.address) as client:
        for _ in range(3):
            answer = client.request(
                "POST", "/v1/chat/completions", {"content-type": "application/json"}, body)
            assert told(answer)["body"] == body.decode()
    assert len(iris.requests) == 3 and not other.requests


def test_expect_is_answered_by_the_replica(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange.answer(200, exchange.read_body())
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        stream = client.begin("POST", "/", {"expect": "100-continue", "content-length": "4"},
                              ends=False)
        client.until(lambda: client.answers[stream].interim)
        client.data(stream, b"body", ends=True)
        assert client.answer(stream).body == b"body"


def test_head_and_statuses_without_a_body(start_origin, start_gateway):
    def script(exchange):
        exchange.answer(204 if exchange.request.target == "/204" else 200, b"body")
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        answer = client.request("HEAD", "/")
        assert answer.status == 200 and answer.body == b""
        assert answer.header("content-length") == "4"
        assert client.request("GET", "/204").status == 204


def test_cookies_are_one_field_for_the_replica(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(echo)))
    with Client(gateway.address) as client:
        answer = client.request("GET", "/", [("cookie", "a=1"), ("cookie", "b=2")])
    seen = [value for name, value in told(answer)["headers"] if name.lower() == "cookie"]
    assert seen == ["a=1; b=2"]


def test_drain_ends_requests_under_way_and_says_goodbye(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    client = Client(gateway.address)
    stream = client.begin()
    until(lambda: replica.requests, "the request arrives")
    gateway.signal(signal.SIGTERM)
    client.until(lambda: client.goaway)
    go.set()
    assert client.answer(stream).status == 200
    assert client.ending() == CODES.NO_ERROR
    client.close()
    assert gateway.wait() == 0


def test_a_reload_leaves_streams_alone(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    with Client(gateway.address) as client:
        stream = client.begin()
        until(lambda: replica.requests, "the request arrives")
        changed = json.loads(json.dumps(gateway.configuration))
        changed["services"][0]["headers"] = {"response": {"x-new": "1"}}
        assert gateway.reload(changed)
        go.set()
        assert client.answer(stream).status == 200
        assert client.request("GET", "/").header("x-new") == "1"


# --- replicas ---------------------------------------------------------------------------------


def test_a_request_over_http1_reaches_a_replica_over_http2(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica))
    with gateway.connect() as client:
        for body in (b"", b"hello", bytes(200_000)):
            answer = client.request("POST", "/p?q=1", {"x-thing": "one"}, body)
            assert answer.status == 200 and answer.body == body
    seen = replica.requests[0]
    assert seen.path == "/p?q=1" and seen.headers.get("x-thing") == "one"
    assert seen.headers.get(":authority") == "test.local"
    assert len(replica.connections) == 1


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 2 * MiB])
def test_bodies_pass_over_http2_on_both_sides(start_origin, start_gateway, size):
    gateway = start_gateway(over_http2(start_origin(echo2, http2=True)))
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with Client(gateway.address) as client:
        answer = client.request("POST", "/", {}, body)
        assert answer.status == 200 and answer.body == body


def test_chunked_bodies_and_trailers_cross_versions(start_origin, start_gateway):
    def script(exchange):
        exchange.answer(200, exchange.read_body(), trailers=[("x-sum", "12")])
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}, b""))
        client.send(chunk(b"one") + chunk(b"two") + b"0\r\nx-client: 1\r\n\r\n")
        answer = client.response()
        assert answer.body == b"onetwo"
        assert answer.trailers.get("x-sum") == "12"
    assert replica.requests[0].trailers.get("x-client") == "1"


def test_requests_share_connections_to_a_replica(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        exchange.read_body()
        assert go.wait(60)
        exchange.answer(200, exchange.path.encode())
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with Client(gateway.address) as client:
        streams = [client.begin("GET", f"/{number}") for number in range(50)]
        until(lambda: len(replica.requests) == 50, "all of them arrive")
        assert len(replica.connections) == 1
        go.set()
        assert [client.answer(s).body for s in streams] == [b"/%d" % n for n in range(50)]


def test_the_stream_limit_of_a_replica_is_kept(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(
        lambda exchange: (exchange.read_body(), go.wait(60), exchange.answer(200)), http2=True,
        settings={SettingCodes.MAX_CONCURRENT_STREAMS: 5})
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with Client(gateway.address) as client:
        first = client.begin("GET", "/first")
        until(lambda: replica.requests, "the connection is made")
        streams = [first] + [client.begin("GET", f"/{number}") for number in range(14)]
        until(lambda: len(replica.requests) == 15, "more connections carry the rest")
        assert all(c.requests <= 5 for c in replica.connections)
        go.set()
        assert all(client.answer(stream).status == 200 for stream in streams)


def test_a_burst_at_a_new_connection_waits_for_no_timer(start_origin, start_gateway):
    """More at once than a replica may be asked before it has said what it allows."""
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    began = time.monotonic()
    with Client(gateway.address) as one, Client(gateway.address) as other:
        streams = [(client, client.begin("POST", f"/{number}", ends=False))
                   for number in range(100) for client in (one, other)]
        for client, stream in streams:
            client.data(stream, b"x", ends=True)
        assert all(client.answer(stream).status == 200 for client, stream in streams)
    assert time.monotonic() - began < 20


def test_a_refused_stream_is_tried_elsewhere_for_free(start_origin, start_gateway):
    refusing = start_origin(lambda exchange: exchange.cancel(CODES.REFUSED_STREAM), http2=True)
    good = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(refusing, good, ejection={"failures": 0}))
    with gateway.connect() as client:
        for _ in range(6):
            assert client.request("POST", "/", {}, b"once").body == b"once"
    assert len(good.requests) == 6


def test_a_replica_that_goes_away_is_connected_anew(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with gateway.connect() as client:
        assert client.request("POST", "/", {}, b"1").body == b"1"
        replica.connections[0].go_away()
        until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 0,
              "the gateway closes its side")
        assert client.request("POST", "/", {}, b"2").body == b"2"
    assert len(replica.connections) == 2


def test_a_lost_connection_resets_what_had_begun_and_repeats_the_rest(start_origin, start_gateway):
    begun = threading.Event()

    def script(exchange):
        exchange.read_body()
        if exchange.path == "/begun":
            exchange.head(200, {"content-length": "10"})
            exchange.data(b"half")
            begun.set()
        elif len(exchange.origin.connections) == 1:
            assert begun.wait(20)
            exchange.connection.close()
        else:
            exchange.answer(200, b"again")
    replica = start_origin(script, http2=True)
    gateway = start_gateway(
        over_http2(replica, ejection={"failures": 0}), gateway={"workers": 1})
    with Client(gateway.address) as client:
        cut = client.begin("GET", "/begun")
        client.until(lambda: client.answers[cut].pieces)
        again = client.begin("GET", "/again")
        assert client.answer(again).body == b"again"
        assert client.answer(cut).reset is not None


def test_a_slow_reader_holds_a_replica_back_over_http2(start_origin, start_gateway):
    done = threading.Event()

    def script(exchange):
        exchange.read_body()
        exchange.head(200)
        exchange.data(bytes(20 * MiB), ends=True)
        done.set()
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica))
    with Client(gateway.address) as client:
        client.acknowledges = False
        stream = client.begin()
        answer = client.answers[stream]
        client.until(lambda: len(answer.body) == 65_535)
        assert not done.is_set()
        client.acknowledges = True
        client.h2.acknowledge_received_data(65_535, stream)
        client.flush()
        client.answer(stream)
        assert len(answer.body) == 20 * MiB


def test_a_client_that_leaves_cancels_its_stream_to_the_replica(start_origin, start_gateway):
    codes = []

    def script(exchange):
        exchange.read_body()
        codes.append(exchange.wait_for_reset())
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        until(lambda: replica.requests, "the request arrives")
    until(lambda: codes, "the stream is cancelled")
    assert codes == [CODES.CANCEL]
    assert len(replica.connections) == 1


def test_nothing_stays_in_flight(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica))
    clients = [Client(gateway.address) for _ in range(4)]
    for client in clients:
        streams = [client.begin("GET", "/") for _ in range(20)]
        for stream in streams[:10]:
            client.cancel(stream)
        for stream in streams[10:]:
            assert client.answer(stream).status == 200
        client.close()
    gateway.settle()


# --- gRPC -------------------------------------------------------------------------------------

GRPC = {"content-type": "application/grpc", "te": "trailers"}


def test_grpc_passes_with_its_trailers(start_origin, start_gateway):
    def script(exchange):
        exchange.answer(200, exchange.read_body(), {"content-type": "application/grpc"},
                        trailers=[("grpc-status", "0"), ("grpc-message", "fine")])
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica))
    with Client(gateway.address) as client:
        answer = client.request("POST", "/s/m", GRPC, b"\0\0\0\0\2hi")
    assert answer.body == b"\0\0\0\0\2hi"
    assert answer.trailers.get("grpc-status") == "0"
    assert answer.trailers.get("grpc-message") == "fine"
    assert replica.requests[0].headers.get("te") == "trailers"


def test_an_answer_of_trailers_alone_stays_one(start_origin, start_gateway):
    def script(exchange):
        exchange.read_body()
        exchange.head(200, {"content-type": "application/grpc", "grpc-status": "5"}, ends=True)
    gateway = start_gateway(over_http2(start_origin(script, http2=True)))
    with Client(gateway.address) as client:
        answer = client.request("POST", "/s/m", GRPC, b"")
    assert answer.header("grpc-status") == "5" and not answer.trailers and answer.body == b""
    heads = [e for e in client.events if isinstance(e, h2.events.ResponseReceived)]
    assert heads[0].stream_ended, "its head says that it is all"


@pytest.mark.parametrize("setting,status,code", [
    ("no_route", "12", "no_route"), ("dead", "14", "replica_unreachable")])
def test_the_gateways_own_errors_are_statuses_of_grpc(
        start_origin, start_gateway, setting, status, code):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica, routes=[{"path": "/s"}]))
    if setting == "dead":
        replica.refuse()
    path = "/other/m" if setting == "no_route" else "/s/m"
    with Client(gateway.address) as client:
        answer = client.request("POST", path, GRPC, b"\0\0\0\0\0")
    assert answer.status == 200
    assert answer.header("content-type") == "application/grpc"
    assert answer.header("grpc-status") == status and answer.error == code
    assert answer.header("grpc-message")


def test_both_sides_of_a_grpc_stream_talk_at_once(start_origin, start_gateway):
    def script(exchange):
        exchange.head(200, {"content-type": "application/grpc"})
        seen = 0
        while True:
            with exchange.changed:
                assert exchange.changed.wait_for(
                    lambda: len(exchange.body) > seen or exchange.ended, 20)
                news, seen = exchange.body[seen:], len(exchange.body)
                over = exchange.ended and not news
            if over:
                return exchange.end([("grpc-status", "0")])
            exchange.data(news.upper())
    gateway = start_gateway(over_http2(start_origin(script, http2=True)))
    with Client(gateway.address) as client:
        stream = client.begin("POST", "/s/m", GRPC, ends=False)
        answer = client.answers[stream]
        for number in range(20):
            client.data(stream, b"word%d;" % number)
            client.until(lambda: answer.body.endswith(b"WORD%d;" % number))
        client.data(stream, b"", ends=True)
        assert client.answer(stream).trailers.get("grpc-status") == "0"


def test_websocket_over_http2_reaches_a_replica_over_http1(start_origin, start_gateway):
    def script(exchange):
        exchange.is_body_read = True
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                      b"Upgrade: websocket\r\n\r\n")
        stream = exchange.connection.stream
        while stream.buffer or stream.fill():
            data, stream.buffer = stream.buffer, b""
            exchange.send(data.upper())
    replica = start_origin(script)
    gateway = start_gateway(service(replica, upgrades=["websocket"]))
    with Client(gateway.address) as client:
        client.until(lambda: client.h2.remote_settings.enable_connect_protocol == 1)
        stream = client.begin("CONNECT", "/chat", {"sec-websocket-version": "13"}, ends=False,
                              more=[(":protocol", "websocket")])
        assert client.head(stream).status == 200
        answer = client.answers[stream]
        for word in (b"hello", b"x" * 70_000):
            before = len(answer.body)
            client.data(stream, word)
            client.until(lambda: len(answer.body) == before + len(word))
        assert answer.body[:5] == b"HELLO"
        client.data(stream, b"", ends=True)
        client.answer(stream)
    assert replica.requests[0].headers.get("upgrade") == "websocket"
    # HTTP/2 has no key, and HTTP/1.1 wants one: sixteen bytes in base 64.
    assert len(base64.b64decode(replica.requests[0].headers.get("sec-websocket-key"))) == 16
