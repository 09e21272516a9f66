# Replicas of HTTP/2 at the edges of a connection: more requests than it takes, streams it has not
# begun with, bodies too long to be sent again, and upgrades, which wait for its settings.

import base64
import hashlib
import threading

import pytest

from h2.settings import SettingCodes

from harness.configuration import service
from harness.http2 import CODES, Client, echo2
from harness.messages import compose
from harness.waiting import until

pytestmark = pytest.mark.core

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASK = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY,
       "Sec-WebSocket-Version": "13"}


def over_http2(*origins, **more):
    more.setdefault("ejection", {"failures": 0})
    return service(revisions=[{
        "name": "stable", "protocol": "h2",
        "endpoints": [origin.address for origin in origins]}], **more)


@pytest.mark.parametrize("allowed", [100, 1000])
def test_requests_that_come_before_a_connection_is_made_are_all_sent(
        start_origin, start_gateway, allowed):
    replica = start_origin(echo2, http2=True,
                           settings={SettingCodes.MAX_CONCURRENT_STREAMS: allowed})
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    count = 128
    with Client(gateway.address) as client:
        client.until(lambda: client.h2.remote_settings.max_concurrent_streams == 128)
        flush, client.flush = client.flush, lambda: None
        streams = [client.begin("POST", f"/{n}", {}, ends=False) for n in range(count)]
        for number, stream in enumerate(streams):
            client.h2.send_data(stream, b"%d" % number, end_stream=True)
        client.flush = flush
        client.flush()
        for number, stream in enumerate(streams):
            answer = client.answer(stream)
            assert (answer.status, answer.body) == (200, b"%d" % number)
    assert len(replica.requests) == count


def test_a_request_that_crosses_a_goodbye_goes_to_a_new_connection(start_origin, start_gateway):
    def script(exchange):
        if exchange.path == "/second" and len(exchange.origin.connections) == 1:
            return exchange.connection.go_away(last=exchange.stream - 2)
        exchange.answer(200, exchange.read_body())
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with gateway.connect() as client:
        assert client.request("POST", "/first", {}, b"1").body == b"1"
        # Not idempotent, and there is no other endpoint; but nobody has begun with it.
        assert client.request("POST", "/second", {}, b"2").body == b"2"
    assert len(replica.connections) == 2
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_tries_total", outcome="transport") == 0


def test_a_refused_stream_is_not_repeated_in_part(start_origin, start_gateway):
    def refusing(exchange):
        with exchange.changed:
            assert exchange.changed.wait_for(lambda: len(exchange.body) > 150_000, 20)
        exchange.cancel(CODES.REFUSED_STREAM)
    bad = start_origin(refusing, http2=True)
    good = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(bad, good), gateway={"workers": 1})
    body = bytes(range(256)) * 800
    seen = []
    for _ in range(4):
        with Client(gateway.address) as client:
            stream = client.begin("POST", "/", {}, ends=False)
            try:
                client.data(stream, body, ends=True)
            except Exception:
                pass  # The stream may be reset while it is being sent on.
            answer = client.answer(stream)
            seen.append(answer.status)
            if answer.status == 200:
                assert answer.body == body
    # Beyond `limits.replay` the beginning is gone: refused rather than repeated without it.
    assert set(seen) == {200, 502}
    assert all(exchange.body == body for exchange in good.requests)


# --- upgrades ----------------------------------------------------------------------------------


def shouting(exchange):
    """Agrees to a tunnel, and sends capitals back."""
    exchange.head(200)
    seen = 0
    while exchange.reset is None and not exchange.ended:
        with exchange.changed:
            exchange.changed.wait_for(
                lambda: len(exchange.body) > seen or exchange.reset is not None, 20)
            news, seen = exchange.body[seen:], len(exchange.body)
        if news:
            exchange.data(news.upper())


def test_websocket_over_http1_reaches_a_replica_over_http2(start_origin, start_gateway):
    replica = start_origin(shouting, http2=True,
                           settings={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    gateway = start_gateway(over_http2(replica, upgrades=["websocket"]), gateway={"workers": 1})
    for _ in range(2):  # On a fresh connection, and on one that is there.
        with gateway.connect() as client:
            client.send(compose("GET", "/chat", ASK))
            answer = client.response_head()
            assert answer.status == 101 and answer.header("upgrade") == "websocket"
            expected = base64.b64encode(hashlib.sha1(KEY.encode() + GUID).digest()).decode()
            assert answer.header("sec-websocket-accept") == expected
            for word in (b"hello", b"x" * 100_000):
                client.send(word)
                assert client.stream.exactly(len(word)) == word.upper()
    request = replica.requests[0]
    assert request.method == "CONNECT" and request.headers.get(":protocol") == "websocket"
    assert not request.headers.has("sec-websocket-key")
    assert len(replica.connections) == 1
    until(lambda: all(r.reset is not None or r.ended for r in replica.requests), "both end")


def test_an_upgrade_waits_for_the_replicas_settings(start_origin, start_gateway):
    go = threading.Event()

    class Late(dict):
        """Settings that are not there before the story says so."""
        def items(self):
            assert go.wait(20)
            return super().items()
    replica = start_origin(shouting, http2=True,
                           settings=Late({SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}))
    gateway = start_gateway(over_http2(replica, upgrades=["websocket"],
                                       timeouts={"connect": "20s"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        until(lambda: replica.connections, "the connection is made")
        go.set()
        assert client.response_head().status == 101
        client.send(b"late")
        assert client.stream.exactly(4) == b"LATE"


def test_a_replica_that_takes_no_upgrades_is_not_blamed(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over_http2(replica, upgrades=["websocket"]))
    for _ in range(2):
        with gateway.connect() as client:
            client.send(compose("GET", "/chat", ASK))
            answer = client.response()
            assert answer.status == 502 and answer.error == "replica_no_upgrade"
    assert not replica.requests
    assert gateway.get("/").status == 200
    assert gateway.admin.metrics().sum("penstock_tries_total", outcome="transport") == 0
