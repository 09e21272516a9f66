# A request goes to a replica and its answer comes back: bodies, framings, methods, connections.

import threading

import pytest

from harness.configuration import service
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import answer_bytes, fixed, raw
from harness.waiting import until
from harness.wire import fetch

pytestmark = pytest.mark.core


def test_a_request_reaches_a_replica_and_its_answer_comes_back(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    answer = gateway.get("/hello?a=1&b=%20", [("X-Mine", "yes")])
    assert answer.status == 200 and answer.version == "HTTP/1.1"
    assert answer.json()["target"] == "/hello?a=1&b=%20"
    assert ["X-Mine", "yes"] in answer.json()["headers"]
    assert replica.last.version == "HTTP/1.1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_a_body_arrives_whatever_the_method(start_origin, start_gateway, method):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    answer = gateway.fetch(method, "/", body=b"\x00\xff binary \r\n\r\n")
    assert answer.json()["method"] == method
    assert replica.last.body == b"\x00\xff binary \r\n\r\n"


def test_an_empty_body_stays_an_empty_body(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    gateway.post("/", b"")
    assert replica.last.headers.get("content-length") == "0"
    gateway.get("/")
    assert not replica.last.headers.has("content-length")
    assert not replica.last.headers.has("transfer-encoding")


def test_a_clients_connection_carries_many_requests(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        for number in range(50):
            assert client.get(f"/{number}").json()["target"] == f"/{number}"
    assert gateway.admin.metrics().sum("penstock_connections_accepted_total") == 1


def test_a_replicas_connection_is_used_again(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway={"workers": 1})
    for _ in range(20):
        gateway.get()
    assert len(replica.connections) == 1


def test_pipelined_requests_are_answered_in_order(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(b"".join(
            compose("POST" if n % 3 == 0 else "GET", f"/{n}", body=b"x" * n if n % 3 == 0 else None)
            for n in range(40)))
        for number in range(40):
            answer = client.response()
            assert answer.json()["target"] == f"/{number}"
            assert len(answer.json()["body"]) == (number if number % 3 == 0 else 0)
    assert [r.target for r in replica.requests] == [f"/{n}" for n in range(40)]


def test_a_request_arrives_whole_however_it_is_cut(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    message = compose("POST", "/cut", {"X-A": "1"}, b"body of it")
    with gateway.connect() as client:
        for position in range(1, len(message), 7):
            client.send(message[:position]).send(message[position:])
            assert client.response().json()["body"] == "body of it"
        for byte in message:
            client.send(bytes([byte]))
        assert client.response().json()["target"] == "/cut"


def test_chunked_bodies_pass_with_their_trailers_both_ways(start_origin, start_gateway):
    def script(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                      + chunk(b"first ") + chunk(b"second") + b"0\r\nX-Sum: 42\r\n\r\n")
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}))
        client.send(chunk(b"a" * 10) + chunk(b"b" * 5000) + b"0\r\nX-Checksum: abc\r\n\r\n")
        answer = client.response()
        assert client.get("/again").status == 200
    assert replica.requests[0].body == b"a" * 10 + b"b" * 5000
    assert replica.requests[0].trailers.get("x-checksum") == "abc"
    assert answer.body == b"first second"
    assert answer.trailers.get("x-sum") == "42"


def test_chunk_extensions_are_not_forwarded(start_origin, start_gateway):
    replica = start_origin(raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n0\r\n\r\n"))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}))
        client.send(b'3;evil="x"\r\nabc\r\n' + LAST_CHUNK)
        answer = client.response()
    assert answer.body == b"hello" and b"name" not in answer.head
    assert replica.last.body == b"abc"


def test_an_answer_without_a_length_ends_with_its_connection(start_origin, start_gateway):
    replica = start_origin(raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n" + b"until the end" * 1000))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        answer = client.get()
        assert answer.body == b"until the end" * 1000
    replica.script = raw(b"HTTP/1.0 200 OK\r\n\r\nold server")
    assert gateway.get().body == b"old server"


def test_head_is_answered_without_a_body_and_with_its_length(start_origin, start_gateway):
    replica = start_origin(fixed(b"twelve bytes"))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        answer = client.request("HEAD", "/")
        assert answer.status == 200 and answer.header("content-length") == "12"
        assert client.get("/").body == b"twelve bytes"
    assert replica.requests[0].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_leave_the_connection_usable(
        start_origin, start_gateway, status):
    def script(exchange):
        exchange.send(b"HTTP/1.1 %d X\r\nETag: \"1\"\r\n\r\n" % status)
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        for _ in range(3):
            answer = client.get()
            assert answer.status == status and answer.header("etag") == '"1"'
            assert not answer.headers.has("transfer-encoding")


def test_304_may_tell_the_length_of_what_it_does_not_carry(start_origin, start_gateway):
    replica = start_origin(lambda exchange: exchange.send(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n"))
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        assert [client.get().status for _ in range(3)] == [304] * 3


def test_interim_answers_are_forwarded_before_the_final_one(start_origin, start_gateway):
    release = threading.Event()

    def script(exchange):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        exchange.wait(release)
        exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        exchange.answer(200, b"final")
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose())
        hints = client.interim_head()
        assert hints.status == 103 and hints.header("link") == "</a.css>; rel=preload"
        release.set()
        answer = client.response()
        assert [i.status for i in answer.interim] == [102] and answer.body == b"final"


def test_an_http_1_0_client_gets_no_chunks_and_no_interim_answer(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"
                      b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      + chunk(b"all ") + chunk(b"of it") + LAST_CHUNK)
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose(version="1.0"))
        answer = client.response()
        assert answer.status == 200 and answer.interim == []
        assert answer.body == b"all of it" and not answer.headers.has("transfer-encoding")
        assert client.ending() == "end"


def test_an_http_1_0_client_may_keep_its_connection(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    with gateway.connect() as client:
        for _ in range(2):
            client.send(compose(version="1.0", headers={"Connection": "keep-alive"}))
            assert client.response().header("connection", "").lower() == "keep-alive"
        client.send(compose(version="1.0"))
        assert client.response().body == b"ok"
        assert client.ending() == "end"


def test_a_client_that_asks_for_close_gets_it(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    with gateway.connect() as client:
        answer = client.get("/", {"Connection": "close"})
        assert answer.header("connection") == "close"
        assert client.ending() == "end"


def test_a_replica_that_closes_after_each_answer_costs_no_client_its_connection(
        start_origin, start_gateway):
    def script(exchange):
        exchange.answer(200, b"bye", {"Connection": "close"})
        exchange.connection.close()
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        for _ in range(20):
            answer = client.get()
            assert answer.body == b"bye" and not answer.headers.has("connection")


def test_reasons_and_strange_statuses_pass(start_origin, start_gateway):
    replica = start_origin(lambda exchange: exchange.send(
        answer_bytes(299, b"x", reason="Rather Fine")))
    gateway = start_gateway(service(replica))
    answer = gateway.get()
    assert (answer.status, answer.reason, answer.body) == (299, "Rather Fine", b"x")


def test_replicas_on_unix_sockets_and_on_ipv6_are_reached(start_origin, start_gateway, folder):
    for replica in (start_origin(path=str(folder / "r.sock")), start_origin(host="::1")):
        gateway = start_gateway(service(replica))
        assert gateway.post("/x", b"body").json()["body"] == "body"


def test_listeners_on_unix_sockets_and_on_ipv6_answer(start_origin, start_gateway, folder):
    socket_path = folder / "l.sock"
    listeners = [{"address": "[::1]:0"}, {"address": f"unix:{socket_path}"},
                 {"address": "127.0.0.1:0"}]
    gateway = start_gateway(service(start_origin()), gateway={"listeners": listeners})
    assert len(gateway.addresses) == 3
    for address in gateway.addresses:
        assert fetch(address, "POST", "/", body=b"hi").json()["body"] == "hi"
    gateway.settle()
    gateway.stop()
    assert not socket_path.exists()


def test_an_endpoint_may_be_a_name(start_origin, start_gateway):
    replica = start_origin()
    name = replica.address.replace("127.0.0.1", "localhost")
    gateway = start_gateway(service(name, ejection={"failures": 0}))
    # It may stand for an address where nobody listens as well: such a try is free.
    until(lambda: gateway.get().status == 200, "the name is resolved")
    assert [gateway.post("/", b"x").status for _ in range(10)] == [200] * 10


def test_a_name_that_means_nothing_harms_nobody_else(start_origin, start_gateway):
    gateway = start_gateway(
        service("does-not-exist.invalid:80", name="lost", routes=[{"path": "/lost"}]),
        service(start_origin()))
    assert gateway.get("/lost").status in (502, 503)
    assert gateway.get("/").status == 200
