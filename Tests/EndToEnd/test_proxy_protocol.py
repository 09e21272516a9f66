# A listener that requires the PROXY protocol takes the client's address from it, and takes nothing
# else; one that does not require it does not know it.

import socket
import struct

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import configuration, service
from harness.messages import compose
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def version_2(source, destination="127.0.0.1", command=1, extra=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    if family == socket.AF_INET6:
        destination = "::1"
    body = (socket.inet_pton(family, source) + socket.inet_pton(family, destination)
            + struct.pack("!HH", 12345, 80) + extra)
    return SIGNATURE + bytes([0x20 | command, kind]) + struct.pack("!H", len(body)) + body


def start(start_gateway, replica, trusted=("127.0.0.0/8",), **more):
    return start_gateway(service(replica, **more), gateway={
        "listeners": [{"address": "127.0.0.1:0", "proxy_protocol": True}],
        "trusted_proxies": list(trusted)})


@pytest.mark.parametrize("header,client", [
    (b"PROXY TCP4 203.0.113.7 127.0.0.1 56324 80\r\n", "203.0.113.7"),
    (b"PROXY TCP6 2001:db8::7 ::1 56324 80\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (version_2("203.0.113.8"), "203.0.113.8"),
    (version_2("2001:db8::8"), "2001:db8::8"),
    (version_2("203.0.113.9", extra=b"\x04\x00\x02ab"), "203.0.113.9"),
    (SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1"),
])
def test_the_address_in_the_header_is_the_clients(start_origin, start_gateway, header, client):
    replica = start_origin()
    gateway = start(start_gateway, replica)
    with gateway.connect() as connection:
        for byte in header:
            connection.send(bytes([byte]))
        assert connection.get().status == 200
        assert connection.get("/second").status == 200, "it comes once"
    assert [r.headers.get("x-forwarded-for") for r in replica.requests] == [client] * 2


@pytest.mark.parametrize("header", [
    b"", b"PROXY\r\n", b"PROXY TCP4 999.0.0.1 127.0.0.1 1 2\r\n",
    b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
    b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\x00\x0c" + b"\0" * 12,
    SIGNATURE + b"\x21\x11\x00\x04abcd", SIGNATURE + b"\x21\x11\xff\xff",
])
def test_a_missing_or_wrong_header_is_refused(start_origin, start_gateway, header):
    replica = start_origin()
    gateway = start(start_gateway, replica)
    with gateway.connect() as connection:
        connection.send(header + compose())
        try:
            answer = connection.response()
            assert answer.status == 400 and answer.error == "proxy_header"
        except (EOFError, ConnectionResetError):
            pass
    assert not replica.requests


def test_without_the_option_the_header_is_a_malformed_request(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    with gateway.connect() as connection:
        connection.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 56324 80\r\n" + compose())
        assert connection.response().status == 400
    assert not replica.requests


def test_a_stranger_cannot_claim_an_address(start_origin, start_gateway):
    replica = start_origin()
    gateway = start(start_gateway, replica, trusted=())
    with gateway.connect() as connection:
        connection.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 56324 80\r\n" + compose())
        try:
            connection.response()
        except (EOFError, ConnectionResetError):
            pass
    assert all(b"203.0.113.7" not in request.head for request in replica.requests)


def test_hashing_uses_the_address_in_the_header(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(3)]
    endpoints = [replica.address for replica in replicas]
    gateway = start(start_gateway, endpoints[0], balancing={"algorithm": "ip_hash"},
                    revisions=[{"name": "stable", "endpoints": endpoints}])
    places = {}
    for number in range(1, 41):
        seen = set()
        for _ in range(2):
            with gateway.connect() as connection:
                connection.send(version_2(f"198.51.100.{number}"))
                seen.add(connection.get().json()["origin"])
        assert len(seen) == 1
        places[number] = seen.pop()
    assert len(set(places.values())) == 3


def test_a_client_of_a_sealed_listener_never_gets_by_in_the_clear(
        start_origin, start_gateway, folder):
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    replica = start_origin()
    plain = {"address": "127.0.0.1:0"}
    # Another host, so that the port cannot be another's by then.
    sealed = {"address": "127.0.0.2:0", "proxy_protocol": True, "tls": {
        "certificate": made.certificate, "key": made.key,
        "client_ca": authority.certificate, "client_auth": "required"}}
    gateway = start_gateway(service(replica), gateway={
        "listeners": [plain, sealed], "workers": 1})
    address = gateway.addresses[1].removeprefix("https://")
    with Connection(address) as waiting, Connection(address) as another:
        until(lambda: gateway.admin.metrics().sum("penstock_connections_open") == 2, "both are in")
        assert gateway.reload(configuration(service(replica), gateway={
            "listeners": [plain, {"address": "127.0.0.3:0"}], "workers": 1}))
        for client, header in ((waiting, b"PROXY TCP4 203.0.113.7 127.0.0.1 56324 80\r\n"),
                               (another, version_2("203.0.113.7"))):
            client.send(header + compose())
            assert client.ending() in ("end", "reset")
    assert not replica.requests
