# Corners of TLS: who has said that nothing more will come still hears the other side; no client is
# answered for another's mistake.

import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.messages import compose
from harness.origin import echo
from harness.wire import Connection
from test_tls import Sealed, listening, serving, trusting
from test_tunnel_ends import AGREE, ASK

pytestmark = pytest.mark.core

MiB = 1024 * 1024


@pytest.fixture
def authority(folder):
    return make_authority(folder, "authority")


@pytest.fixture
def server(folder, authority):
    return make_certificate(folder, "test.local", authority)


def test_a_refused_client_may_finish_what_it_is_sending(
        start_origin, start_gateway, authority, server):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "limits": {"request_body": "1KiB"}})
    context = trusting(authority.certificate, suppress_ragged_eofs=False)
    with Sealed(gateway.address, context) as client:
        client.send(compose("POST", "/", {"Content-Length": str(16 * MiB)}))
        answer = client.response()
        assert (answer.status, answer.error) == (413, "body_too_large")
        # More than all buffers on the way hold.
        for _ in range(16):
            client.socket.sendall(bytes(MiB))
        assert client.socket.recv(1) == b"", "the end is said, not a reset"


@pytest.mark.parametrize("words", [b"bye", b"bye" * 100_000])
def test_a_replica_has_the_last_word_in_a_tunnel(
        start_origin, start_gateway, authority, server, words):
    heard, ended = [], threading.Event()

    def script(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        heard.append(exchange.connection.stream.rest())
        exchange.send(words)
        ended.set()
        # Says that this was all.
        exchange.connection.socket = exchange.connection.socket.unwrap()
        exchange.connection.close()
    replica = start_origin(script, tls=serving(server))
    gateway = start_gateway(service(upgrades=["websocket"], revisions=[{
        "name": "stable", "endpoints": [replica.address],
        "tls": {"server_name": "test.local", "ca": authority.certificate}}]))
    with Connection(gateway.address) as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
        client.send(b"x" * 50_000)
        client.socket.shutdown(1)
        got = b""
        while len(got) < len(words) and (piece := client.socket.recv(65536)):
            got += piece
        assert got == words
    assert ended.wait(20) and heard == [b"x" * 50_000]


def test_a_client_is_not_answered_for_the_mistake_of_another(start_origin, start_gateway, server):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "workers": 1, "timeouts": {"request_head": "300ms"}})
    with gateway.connect() as mistaken:
        mistaken.send(compose("GET", "/"))
        assert mistaken.response().error == "plain_http"
    with gateway.connect() as stalled:
        stalled.send(b"\x16\x03\x01\x02\x00\x01")
        assert stalled.stream.rest() == b""
    assert gateway.admin.metrics().sum("penstock_refusals_total", code="tls_handshake") == 1
