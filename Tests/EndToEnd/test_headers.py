# What the gateway adds to, takes from and leaves in the heads that pass: forwarding and identity,
# hop-by-hop fields, tracing, its own names, and the edits of a service.

import re

import pytest

from harness.configuration import service
from harness.origin import fixed
from harness.wire import fetch

pytestmark = pytest.mark.core

TRACE = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
TRUSTING = {"trusted_proxies": ["127.0.0.0/8"]}


def test_a_replica_learns_who_asked_for_what(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    gateway.get("/", host="Example.com:8080")
    headers = replica.last.headers
    assert headers.get("x-forwarded-for") == "127.0.0.1"
    assert headers.get("x-forwarded-proto") == "http"
    assert headers.get("x-forwarded-host") == "Example.com:8080"
    assert headers.get("host") == "Example.com:8080"


def test_forwarding_headers_of_a_stranger_are_replaced(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    gateway.get("/", [
        ("X-Forwarded-For", "6.6.6.6"), ("x-forwarded-for", "7.7.7.7"),
        ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=6.6.6.6"), ("X-Forwarded-Port", "1")])
    headers = replica.last.headers
    assert headers.get("x-forwarded-for") == "127.0.0.1"
    assert headers.get("x-forwarded-proto") == "http"
    assert headers.get("x-forwarded-host") == "test.local"
    assert not headers.has("forwarded")
    assert b"6.6.6.6" not in replica.last.head and b"evil" not in replica.last.head


def test_forwarding_headers_of_a_trusted_proxy_are_continued(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=TRUSTING)
    gateway.get("/", [
        ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"), ("Forwarded", "for=203.0.113.9")])
    headers = replica.last.headers
    assert re.sub(r"\s", "", ",".join(headers.all("x-forwarded-for"))) == "203.0.113.9,127.0.0.1"
    assert headers.get("x-forwarded-proto") == "https"
    assert headers.get("x-forwarded-host") == "shop.example"
    assert not headers.has("forwarded")


@pytest.mark.parametrize("name", [
    "X_Forwarded_For", "x-forwarded_for", "X_Request_Id", "X_FORWARDED_PROTO", "Content_Length",
    "Transfer_Encoding", "X_Real_IP"])
def test_names_with_an_underscore_cannot_pose_as_known_ones(start_origin, start_gateway, name):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    assert gateway.get("/", [(name, "66"), ("my_own_name", "stays")]).status == 200
    assert not replica.last.headers.has(name)
    assert replica.last.headers.get("my_own_name") == "stays"


def test_hop_by_hop_fields_do_not_pass_to_the_replica(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    gateway.get("/", [
        ("Connection", "keep-alive, X-Private, x-other"), ("X-Private", "1"), ("X-Other", "2"),
        ("Keep-Alive", "timeout=5"), ("TE", "trailers"), ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic eA=="), ("Upgrade", "h2c"), ("X-Kept", "3")])
    headers = replica.last.headers
    for name in ("x-private", "x-other", "keep-alive", "proxy-connection", "proxy-authorization",
                 "upgrade", "te"):
        assert not headers.has(name), name
    assert headers.get("x-kept") == "3"
    assert headers.get("connection", "keep-alive").lower() == "keep-alive"


def test_connection_cannot_strip_what_others_rely_on(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    gateway.fetch("POST", "/", [
        ("Connection", "X-Forwarded-For, Host, Cookie, Authorization, Content-Length, X-Request-ID"
                       ", Content-Type"),
        ("Cookie", "a=b"), ("Authorization", "Bearer x"), ("Content-Type", "text/plain")], b"abc")
    headers = replica.last.headers
    assert headers.get("x-forwarded-for") == "127.0.0.1"
    assert headers.get("cookie") == "a=b" and headers.get("authorization") == "Bearer x"
    assert headers.get("content-type") == "text/plain"
    assert headers.has("x-request-id") and replica.last.body == b"abc"


def test_hop_by_hop_fields_do_not_pass_to_the_client(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok", headers=[
        ("Connection", "keep-alive, X-Internal"), ("X-Internal", "1"), ("Keep-Alive", "timeout=9"),
        ("Proxy-Connection", "keep-alive"), ("X-Kept", "2")]))
    answer = start_gateway(service(replica)).get()
    for name in ("x-internal", "keep-alive", "proxy-connection"):
        assert not answer.headers.has(name), name
    assert answer.header("x-kept") == "2"


def test_a_request_id_is_kept_or_made_and_told_to_both_sides(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    answer = gateway.get("/", {"X-Request-ID": "mine-1.2_3"})
    assert answer.header("x-request-id") == "mine-1.2_3"
    assert replica.last.headers.get("x-request-id") == "mine-1.2_3"
    made = [gateway.get().header("x-request-id") for _ in range(20)]
    assert len(set(made)) == 20 and all(len(name) >= 16 for name in made)
    assert replica.last.headers.get("x-request-id") == made[-1]


@pytest.mark.parametrize("bad", ["a" * 500, ""], ids=["too long", "empty"])
def test_a_request_id_that_is_no_id_is_replaced(start_origin, start_gateway, bad):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    answer = gateway.get("/", {"X-Request-ID": bad})
    assert answer.header("x-request-id") not in (bad, None)
    assert replica.last.headers.get("x-request-id") == answer.header("x-request-id")


def test_a_trace_goes_on_or_begins(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    gateway.get("/", [("traceparent", parent), ("tracestate", "a=1")])
    assert replica.last.headers.get("traceparent").split("-")[1] == parent.split("-")[1]
    assert replica.last.headers.get("tracestate") == "a=1"
    gateway.get()
    begun = replica.last.headers.get("traceparent")
    assert TRACE.match(begun) and "0" * 32 not in begun
    gateway.get()
    assert replica.last.headers.get("traceparent") != begun


@pytest.mark.parametrize("bad", [
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "garbage", "00-XYZ-1-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"])
def test_a_broken_trace_is_replaced(start_origin, start_gateway, bad):
    replica = start_origin()
    start_gateway(service(replica)).get("/", {"traceparent": bad})
    assert TRACE.match(replica.last.headers.get("traceparent"))
    assert replica.last.headers.get("traceparent") != bad


def test_the_gateways_own_names_are_the_gateways(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok", headers=[
        ("X-Penstock-Revision", "forged"), ("X-Penstock-Error", "forged"),
        ("X-Penstock-Anything", "forged"), ("X-Request-ID", "forged")]))
    answer = start_gateway(service(replica)).get("/", {"X-Request-ID": "real"})
    assert b"forged" not in answer.head
    assert answer.header("x-penstock-revision") == "stable"
    assert answer.header("x-request-id") == "real" and answer.error is None


def test_end_to_end_fields_pass_untouched_and_in_order(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok", headers=[
        ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Server", "mine/1"),
        ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("X-Empty", ""), ("X-Long", "v" * 9000)]))
    gateway = start_gateway(service(replica))
    sent = [("Accept", "a"), ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "c=d; e=f"),
            ("X-Empty", ""), ("X-Utf8", "caf\xe9")]
    answer = gateway.get("/", sent)
    names = {name for name, _ in sent}
    assert [pair for pair in replica.last.headers if pair[0] in names] == sent
    assert answer.headers.all("set-cookie") == ["a=1", "b=2"]
    assert answer.header("server") == "mine/1" and answer.header("x-long") == "v" * 9000
    assert answer.header("date") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert answer.header("x-empty") == ""


def test_a_service_sets_and_removes_headers(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok", headers=[("Server", "mine"), ("X-Served-By", "replica")]))
    gateway = start_gateway(service(replica, headers={
        "request": {"x-tenant": "a", "x-secret": None, "user-agent": "penstock-test"},
        "response": {"x-served-by": "penstock", "server": None}}))
    answer = gateway.get("/", [("X-Tenant", "forged"), ("X-Secret", "1"), ("User-Agent", "curl")])
    headers = replica.last.headers
    assert headers.get("x-tenant") == "a" and headers.get("user-agent") == "penstock-test"
    assert not headers.has("x-secret")
    assert answer.header("x-served-by") == "penstock" and not answer.headers.has("server")


def test_host_is_rewritten_to_the_endpoint_where_configured(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica, host="rewrite"))
    gateway.get("/", host="public.example")
    assert replica.last.headers.get("host") == replica.address
    assert replica.last.headers.get("x-forwarded-host") == "public.example"


def test_the_host_of_an_absolute_target_wins(start_origin, start_gateway):
    # RFC 9112 3.2.2
    replica = start_origin()
    gateway = start_gateway(service(replica))
    assert fetch(gateway.address, "GET", "http://real.example/x?y", host="other").status == 200
    assert replica.last.target == "/x?y"
    assert replica.last.headers.get("host") == "real.example"


def test_a_refusal_is_a_problem_with_an_id(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(), routes=[{"path": "/only"}]))
    answer = gateway.get("/nowhere", {"X-Request-ID": "find-me"})
    problem = answer.json()
    assert answer.status == 404 and answer.error == "no_route"
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("x-request-id") == "find-me"
    assert problem["status"] == 404 and problem["title"] and problem["detail"]
