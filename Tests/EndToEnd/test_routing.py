# Which service a request goes to: path, host, header, model in the path and in the body, and which
# route wins.

import json

import pytest

from harness.configuration import service
from harness.messages import LAST_CHUNK, chunk, compose
from harness.waiting import until

pytestmark = pytest.mark.core


def where(answer):
    return answer.json()["origin"] if answer.status == 200 else answer.status


@pytest.fixture
def two(start_origin, start_gateway):
    """Two services, `a` and `b`, over origins of the same names, with the given routes."""
    def start(routes_a, routes_b, **more):
        a, b = start_origin(name="a"), start_origin(name="b")
        return start_gateway(service(a, name="a", routes=routes_a),
                             service(b, name="b", routes=routes_b), **more)
    return start


def test_a_path_matches_itself_and_what_is_below_it_only(two):
    gateway = two([{"path": "/echo"}], [{"path": "/other"}])
    seen = {path: where(gateway.get(path)) for path in
            ("/echo", "/echo/", "/echo/x", "/echo?q", "/echoes", "/other/1", "/", "/ECHO")}
    assert seen == {"/echo": "a", "/echo/": "a", "/echo/x": "a", "/echo?q": "a", "/echoes": 404,
                    "/other/1": "b", "/": 404, "/ECHO": 404}


def test_a_stripped_prefix_is_gone_at_the_replica(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica, routes=[{"path": "/echo", "strip": True}]))
    targets = {sent: gateway.get(sent).json()["target"]
               for sent in ("/echo", "/echo/", "/echo/a/b?c=/echo", "/echo?x=1")}
    assert targets == {"/echo": "/", "/echo/": "/", "/echo/a/b?c=/echo": "/a/b?c=/echo",
                       "/echo?x=1": "/?x=1"}


def test_the_longest_path_wins(two):
    gateway = two([{"path": "/"}], [{"path": "/v1/special"}])
    assert where(gateway.get("/v1/special/x")) == "b"
    assert where(gateway.get("/v1/specially")) == "a"


def test_hosts_match_without_case_and_port_and_wildcards_below(two):
    gateway = two([{"host": "api.example.com"}], [{"host": "*.example.com"}])
    seen = {host: where(gateway.get(host=host)) for host in (
        "api.example.com", "API.Example.COM:8080", "www.example.com", "a.b.example.com",
        "example.com", "evil-example.com", "other.org")}
    assert seen == {"api.example.com": "a", "API.Example.COM:8080": "a", "www.example.com": "b",
                    "a.b.example.com": "b", "example.com": 404, "evil-example.com": 404,
                    "other.org": 404}


def test_a_host_outranks_a_header_and_a_header_outranks_a_path(two):
    gateway = two([{"host": "h.example"}, {"path": "/deep/path"}],
                  [{"header": "x-penstock-deployment: b"}])
    header = {"X-Penstock-Deployment": "b"}
    assert where(gateway.get("/", header, host="h.example")) == "a"
    assert where(gateway.get("/deep/path", header)) == "b"
    assert where(gateway.get("/deep/path")) == "a"
    assert where(gateway.get("/", {"X-Penstock-Deployment": "c"})) == 404


def test_all_keys_of_a_route_must_match(two):
    gateway = two([{"host": "h.example", "path": "/v1"}], [{"path": "/"}])
    assert where(gateway.get("/v1/x", host="h.example")) == "a"
    assert where(gateway.get("/v2/x", host="h.example")) == "b"
    assert where(gateway.get("/v1/x", host="g.example")) == "b"


def test_a_model_is_found_in_an_open_inference_path(two):
    gateway = two([{"model": "iris"}], [{"path": "/"}])
    assert where(gateway.get("/v2/models/iris/infer")) == "a"
    assert where(gateway.get("/v2/models/iris/versions/1/ready")) == "a"
    assert where(gateway.get("/v2/models/iris")) == "a"
    assert where(gateway.get("/v2/models/iris2/infer")) == "b"
    assert where(gateway.get("/v2/models/ir%69s/infer")) == "a"


@pytest.mark.parametrize("body", [
    '{"model": "llama", "messages": []}',
    '{"messages": [{"model": "decoy", "content": "\\"model\\": \\"decoy\\""}], "model":"llama"}',
    '{"\\u006dodel": "llam\\u0061"}',
    '\n {"a": {"model": "decoy"}, "b": [1, {"model": "decoy"}], "model" : "llama"}',
    json.dumps({"prompt": "x" * 30000, "model": "llama"}),
])
def test_a_model_is_found_in_a_body_which_arrives_unchanged(two, body):
    gateway = two([{"model": "llama"}], [{"model": "decoy"}])
    answer = gateway.post("/v1/chat/completions", body, {"Content-Type": "application/json"})
    assert where(answer) == "a"
    assert answer.json()["body"] == body


def test_a_model_in_a_chunked_body_that_drips_is_found(two):
    gateway = two([{"model": "llama"}], [{"model": "decoy"}])
    with gateway.connect() as client:
        client.send(compose("POST", "/v1/completions", {
            "Content-Type": "application/json; charset=utf-8", "Transfer-Encoding": "chunked"}))
        for byte in b'{"x": "decoy", "model": "llama"}':
            client.send(chunk(bytes([byte])))
        client.send(LAST_CHUNK)
        answer = client.response()
        assert where(answer) == "a"
        assert answer.json()["body"] == '{"x": "decoy", "model": "llama"}'
        assert client.get("/v2/models/decoy").json()["origin"] == "b"


def test_the_replica_gets_the_request_before_the_body_is_complete(start_origin, start_gateway):
    def script(exchange):
        exchange.answer_json({"origin": "early"}) if exchange.read_body() else None
    replica = start_origin(script)
    gateway = start_gateway(service(replica, routes=[{"model": "llama"}]))
    with gateway.connect() as client:
        client.send(compose("POST", "/v1/completions", {
            "Content-Type": "application/json", "Content-Length": "1000"}))
        client.send('{"model": "llama", "prompt": "')
        until(lambda: replica.requests, "the head arrives while the body is still under way")
        client.send("y" * (1000 - 32) + '"}')
        assert client.response().json()["origin"] == "early"


@pytest.mark.parametrize("body,status", [
    ("{}", 404), ('{"model": "unknown"}', 404), ("not json", 400), ('{"model": 7}', None),
    ('{"a": "' + "x" * 200_000 + '", "model": "llama"}', 400)])
def test_a_body_that_names_no_known_model_is_refused(two, body, status):
    gateway = two([{"model": "llama"}], [{"path": "/other"}])
    answer = gateway.post("/v1/completions", body, {"Content-Type": "application/json"})
    assert answer.status in ((status,) if status else (400, 404))
    assert answer.error in ("no_route", "model_unreadable")


def test_dot_segments_cannot_dodge_a_route(two):
    gateway = two([{"path": "/public"}], [{"path": "/admin"}])
    for path in ("/public/../admin/x", "/public/%2e%2e/admin/x", "/public/.%2E/admin/x",
                 "/./admin/x", "/public/a/../../admin/x"):
        assert where(gateway.get(path)) == "b", path
        assert gateway.get(path).json()["target"] == "/admin/x"


@pytest.mark.parametrize("path", [
    "/..", "/../etc", "/public/../../x", "/%2e%2e/x", "/public/..;/x", "/a%2f../x", "/%00",
    "/public/%zz/../x", "/public\\..\\x/../y"])
def test_a_path_that_two_servers_could_read_differently_is_refused(two, path):
    gateway = two([{"path": "/public"}], [{"path": "/"}])
    assert gateway.get(path).status == 400


def test_other_escapes_reach_the_replica_as_sent(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    for path in ("/a%2Fb", "/%41%zz?%", "//double//slash", "/a;b=c", "/" + "p" * 8000):
        answer = gateway.get(path)
        if answer.status == 200:
            assert answer.json()["target"] == path
        else:
            assert answer.status == 400 and path == "/%41%zz?%"


def test_options_asterisk_is_answered_or_forwarded_but_not_mistaken(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    answer = gateway.fetch("OPTIONS", "*")
    assert answer.status in (200, 204, 404)
