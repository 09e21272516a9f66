# gRPC's own client and server with the gateway between them: every kind of call, in the clear and
# over TLS, what travels beside the messages, deadlines, faults, and health as the servers tell it.

import queue
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import fast_health, service
from harness.waiting import Stopwatch, until

MiB = 1024 * 1024


@pytest.fixture
def start_server():
    from harness.grpc_calls import CallServer
    started = []

    def start(credentials=None, **more):
        started.append(CallServer(credentials, **more))
        return started[-1]
    yield start
    for server in started:
        server.stop()


@pytest.fixture
def connect():
    from harness.grpc_calls import CallClient
    made = []

    def connect(gateway, **options):
        made.append(CallClient(gateway.address, **options))
        return made[-1]
    yield connect
    for client in made:
        client.__exit__()


def over(*servers, tls=None, **more):
    return service(revisions=[{
        "name": "stable", "protocol": "h2", "endpoints": [server.address for server in servers],
        **({"tls": tls} if tls else {})}], **more)


@pytest.fixture(params=["cleartext", "tls"])
def joined(request, start_server, start_gateway, connect, folder):
    """A client and a server, in the clear or sealed on both sides."""
    import grpc
    if request.param == "cleartext":
        server = start_server()
        client = connect(start_gateway(over(server)))
    else:
        authority = make_authority(folder, "authority")
        made = make_certificate(folder, "test.local", authority)
        chain, key, root = (open(path, "rb").read() for path in (
            made.certificate, made.key, authority.certificate))
        server = start_server(grpc.ssl_server_credentials([(key, chain)]))
        gateway = start_gateway(
            over(server, tls={"server_name": "test.local", "ca": authority.certificate}),
            gateway={"listeners": [{"address": "127.0.0.1:0", "tls": {
                "certificate": made.certificate, "key": made.key}}]})
        client = connect(gateway, credentials=grpc.ssl_channel_credentials(root),
                         options=[("grpc.ssl_target_name_override", "test.local")])
    client.calls = server.calls
    return client


def test_one_message_each_way(joined):
    for body in (b"", b"hello", b"x" * 3 * MiB):
        assert joined.unary(body, timeout=30) == body.upper()


def test_a_stream_of_the_client(joined):
    assert joined.collect(iter([b"one", b"", b"two", b"y" * MiB]), timeout=30) == \
        b"onetwo" + b"y" * MiB
    assert joined.collect(iter([]), timeout=30) == b""


def test_a_stream_of_the_server(joined):
    words = b" ".join(b"word%d" % number for number in range(1000))
    assert list(joined.expand(words, timeout=30)) == words.split(b" ")


def test_both_talk_in_turn(joined):
    said = queue.Queue()
    answers = joined.talk(iter(said.get, None), timeout=30)
    for number in range(100):
        said.put(b"word%d" % number)
        assert next(answers) == b"WORD%d" % number
    said.put(None)
    assert list(answers) == []


def test_what_stands_beside_the_messages_passes(joined):
    answer, call = joined.unary.with_call(
        b"hi", timeout=30, metadata=(("x-mine", "yes"), ("x-mine-bin", b"\x00\x80\xff")))
    assert answer == b"HI"
    first, last = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert first["x-first"] == "one" and first["x-raw-bin"] == b"\x00\xff"
    assert last["x-last"] == "two" and last["x-end-bin"] == b"\x01\xfe"
    seen = joined.calls.metadata[-1]
    assert seen["x-mine"] == "yes" and seen["x-mine-bin"] == b"\x00\x80\xff"
    assert first["x-request-id"] == seen["x-request-id"]


def test_a_fault_of_the_server_arrives_as_it_was_told(joined):
    import grpc
    with pytest.raises(grpc.RpcError) as told:
        joined.unary(b"fail", timeout=30)
    assert told.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert told.value.details() == "it is 50% schön"
    stream = joined.expand(b"a b fail", timeout=30)
    assert [next(stream) for _ in range(3)] == [b"a", b"b", b"fail"]
    with pytest.raises(grpc.RpcError) as told:
        next(stream)
    assert told.value.code() == grpc.StatusCode.DATA_LOSS


def test_a_method_that_is_not_there(joined):
    import grpc
    with pytest.raises(grpc.RpcError) as told:
        joined.channel.unary_unary("/test.Calls/Nothing")(b"", timeout=30)
    assert told.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_messages_are_compressed_end_to_end(joined):
    import grpc
    body = b"a" * MiB
    assert joined.unary(body, timeout=30, compression=grpc.Compression.Gzip) == body.upper()


def test_many_calls_share_a_channel(joined):
    pending = [joined.unary.future(b"call%d" % number, timeout=60) for number in range(300)]
    assert [call.result() for call in pending] == [b"CALL%d" % n for n in range(300)]


def test_the_servers_health_is_asked_through_the_gateway(joined):
    from grpc_health.v1 import health_pb2
    answer = joined.health.Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


# --- deadlines and cancellation ----------------------------------------------------------------


def test_the_server_learns_how_long_the_client_waits(joined):
    joined.unary(b"hi", timeout=100)
    # The library rounds what it says to three digits, upwards.
    assert 50 < joined.calls.deadlines[-1] <= 102
    joined.unary(b"hi")
    # No deadline is the largest number the library has.
    assert joined.calls.deadlines[-1] is None or joined.calls.deadlines[-1] > 1e6


def test_a_deadline_ends_the_call_on_both_sides(joined):
    import grpc
    with pytest.raises(grpc.RpcError) as told:
        joined.unary(b"wait", timeout=0.5)
    assert told.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert joined.calls.cancelled.wait(20)


def test_a_client_that_cancels_ends_the_servers_call(joined):
    call = joined.unary.future(b"wait")
    until(lambda: joined.calls.served, "the call arrives")
    call.cancel()
    assert joined.calls.cancelled.wait(20)


def test_a_server_that_is_silent_too_long_is_the_gateways_deadline(
        start_server, start_gateway, connect):
    import grpc
    server = start_server()
    client = connect(start_gateway(over(server, timeouts={"first_byte": "300ms"})))
    with pytest.raises(grpc.RpcError) as told:
        client.unary(b"silent", timeout=30)
    assert told.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert own_error(told.value) == "first_byte_timeout"
    assert server.calls.cancelled.wait(20), "the server's call is cancelled"


# --- how long calls take -------------------------------------------------------------------------

DURATIONS = "penstock_grpc_request_duration_seconds"


def test_calls_are_timed_by_how_they_ended(start_server, start_gateway, connect):
    import grpc
    server = start_server()
    gateway = start_gateway(over(server))
    client = connect(gateway)
    for _ in range(5):
        client.unary(b"hi", timeout=30)
    for body, patience in ((b"fail", 30), (b"fail", 30), (b"silent", 0.4)):
        with pytest.raises(grpc.RpcError):
            client.unary(body, timeout=patience)
    assert server.calls.cancelled.wait(20)
    server.calls.cancelled.clear()
    call = client.unary.future(b"silent")
    until(lambda: server.calls.served == 9, "the call arrives")
    call.cancel()
    with pytest.raises(grpc.RpcError):
        client.channel.unary_unary("/test.Calls/Nothing")(b"", timeout=30)
    until(lambda: gateway.admin.metrics().sum(f"{DURATIONS}_count") == 10, "all calls are timed")
    metrics = gateway.admin.metrics()

    def counts(name):
        return {labels["status"]: value for sample, labels, value in metrics.samples
                if sample == name and value}
    ends = counts(f"{DURATIONS}_count")
    assert ends == counts("penstock_grpc_requests_total")
    # At its deadline the client itself gives up: its word and the gateway's clock race.
    assert ends.pop("deadline_exceeded", 0) + ends.pop("cancelled") == 2
    assert ends == {"ok": 5, "failed_precondition": 2, "unimplemented": 1}
    everything = {"service": "echo", "revision": "stable", "le": "+Inf"}
    assert metrics.sum(f"{DURATIONS}_bucket", **everything) == 10
    assert metrics.sum(f"{DURATIONS}_bucket", le="+Inf", status="ok") == 5
    assert 0.4 <= metrics.sum(f"{DURATIONS}_sum") < 30


# --- the gateway's own words -------------------------------------------------------------------


def own_error(fault):
    """The code of a refusal, wherever the library has put the head's fields."""
    return {**dict(fault.initial_metadata() or ()),
            **dict(fault.trailing_metadata() or ())}.get("x-penstock-error")


def test_refusals_are_statuses(start_server, start_gateway, connect):
    import grpc
    server = start_server()
    client = connect(start_gateway(over(server, routes=[{"path": "/test.Calls/Unary"}])))
    assert client.unary(b"hi", timeout=30) == b"HI"
    with pytest.raises(grpc.RpcError) as told:
        list(client.expand(b"hi", timeout=30))
    assert told.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert own_error(told.value) == "no_route"
    server.stop()
    with pytest.raises(grpc.RpcError) as told:
        client.unary(b"hi", timeout=30)
    assert told.value.code() == grpc.StatusCode.UNAVAILABLE
    assert own_error(told.value) in ("replica_unreachable", "replica_reset")


def test_a_body_beyond_the_limit_is_resource_exhausted(start_server, start_gateway, connect):
    import grpc
    client = connect(start_gateway(
        over(start_server()), gateway={"limits": {"request_body": "1MB"}}))
    with pytest.raises(grpc.RpcError) as told:
        client.unary(b"x" * 2 * MiB, timeout=30)
    assert told.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_server_that_ends_in_the_middle_is_no_clean_end(start_server, start_gateway, connect):
    import grpc
    server = start_server()
    client = connect(start_gateway(over(server)))
    said = queue.Queue()
    answers = client.talk(iter(said.get, None), timeout=30)
    said.put(b"one")
    assert next(answers) == b"ONE"
    server.stop()
    with pytest.raises(grpc.RpcError):
        next(answers)
    said.put(None)


def test_a_server_that_renews_its_connections_costs_no_call(
        start_server, start_gateway, connect):
    server = start_server(options=[("grpc.max_connection_age_ms", 150),
                                   ("grpc.max_connection_age_grace_ms", 5000)])
    gateway = start_gateway(over(server))
    clients = [connect(gateway, options=[("grpc.use_local_subchannel_pool", 1)])
               for _ in range(4)]
    watch, failures = Stopwatch(), []

    def call(client):
        while watch.seconds < 3 and not failures:
            try:
                assert client.unary(b"hi", timeout=20) == b"HI"
            except Exception as fault:  # Whatever it is, a call has failed.
                failures.append(fault)
    threads = [threading.Thread(target=call, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures
    # Each of them has said goodbye many times, and what crossed it was sent anew.
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_tries_total", outcome="transport") == 0
    assert server.calls.served > 100


def test_a_server_that_is_replaced_under_load_costs_no_call_that_may_be_repeated(
        start_server, start_gateway, connect):
    servers = [start_server() for _ in range(3)]
    gateway = start_gateway(over(
        *servers, retry={"attempts": 3, "idempotent": True}, health=fast_health("grpc")))
    client = connect(gateway)
    failures, calls = [], []

    def call():
        while len(calls) < 1500 and not failures:
            try:
                calls.append(client.unary(b"hi", timeout=20))
            except Exception as fault:  # Whatever it is, a call has failed.
                failures.append(fault)
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for server in servers[:2]:
        seen = len(calls)
        until(lambda: len(calls) > seen + 300 or failures, "calls are answered")
        # With a grace; without one it answers calls under way with CANCELLED, and means it.
        server.stop(grace=10)
    for thread in threads:
        thread.join(60)
    assert not failures, failures


# --- health ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [False, True], ids=["cleartext", "tls"])
def test_the_servers_own_word_on_its_health_is_believed(
        start_server, start_gateway, folder, sealed):
    import grpc
    tls = credentials = None
    if sealed:
        authority = make_authority(folder, "authority")
        made = make_certificate(folder, "test.local", authority)
        credentials = grpc.ssl_server_credentials(
            [(open(made.key, "rb").read(), open(made.certificate, "rb").read())])
        tls = {"server_name": "test.local", "ca": authority.certificate}
    server = start_server(credentials)
    gateway = start_gateway(over(server, tls=tls, health=fast_health("grpc")))

    def health():
        return gateway.admin.endpoints()[server.address]["health"]
    until(lambda: health() == "up", "the server is found serving")
    server.say(False)
    until(lambda: health() == "down", "the server is found not serving")
    server.say(True)
    until(lambda: health() == "up", "the server is back")
    server.stop()
    until(lambda: health() == "down", "the server is gone")


def test_an_unhealthy_server_gets_no_calls(start_server, start_gateway, connect):
    well, sick = start_server(), start_server()
    sick.say(False)
    gateway = start_gateway(over(well, sick, health=fast_health("grpc")))
    until(lambda: gateway.admin.endpoints()[sick.address]["health"] == "down", "it is found")
    client = connect(gateway)
    for _ in range(20):
        assert client.unary(b"hi", timeout=30) == b"HI"
    assert well.calls.served >= 20 and sick.calls.served == 0
