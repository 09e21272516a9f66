# Hedging: a late answer is asked for a second time elsewhere, the first answer wins unless it is no
# more than a failure, the other try is cancelled, and the budget and the rules of repetition hold.

import itertools
import threading

import pytest

from harness.configuration import service
from harness.http2 import Client
from harness.messages import compose
from harness.origin import echo, fixed, resetting
from harness.waiting import Stopwatch, until

pytestmark = pytest.mark.core

HEDGE = {"after": "20ms", "budget": "100%"}


def never(left):
    """Reads the request and waits until the gateway gives it up."""
    def script(exchange):
        exchange.read_body()
        exchange.client_left()
        left.set()
    return script


@pytest.mark.parametrize("body", [None, b"again"])
def test_the_quicker_replica_answers_and_the_slow_one_is_cancelled(
        start_origin, start_gateway, body):
    left = threading.Event()
    slow, quick = start_origin(never(left)), start_origin(echo)
    gateway = start_gateway(service(slow, quick, hedge=HEDGE, retry={"idempotent": True}))
    for _ in range(4):
        with gateway.connect() as client:
            client.send(compose("POST" if body else "GET", "/p", {}, body))
            answer = client.response()
            assert answer.status == 200
            assert answer.json()["body"] == (body or b"").decode()
    assert left.wait(20)
    assert len(quick.requests) == 4


def test_the_first_try_may_still_win(start_origin, start_gateway):
    go, left = threading.Event(), threading.Event()

    def late(exchange):
        exchange.read_body()
        exchange.wait(go)
        exchange.answer(200, b"first")

    hedged = threading.Event()

    def second(exchange):
        exchange.read_body()
        hedged.set()
        exchange.client_left()
        left.set()
    gateway = start_gateway(service(
        start_origin(late), start_origin(second), hedge=HEDGE))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        if not hedged.wait(20):
            raise AssertionError("no hedge")
        go.set()
        # Whichever replica was asked first, only the one that is let go answers.
        assert client.response().body == b"first"
    assert left.wait(20)


def test_what_may_not_be_repeated_is_not_hedged(start_origin, start_gateway):
    go = threading.Event()

    def late(exchange):
        exchange.read_body()
        exchange.wait(go)
        exchange.answer(200)
    one, two = start_origin(late), start_origin(late)
    gateway = start_gateway(service(one, two, hedge={"after": "1ms", "budget": "100%"}))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {}, b"once"))
        until(lambda: one.requests or two.requests, "the request arrives")
        # Another request, whose hedge does arrive, shows that time enough has passed.
        with gateway.connect() as other:
            other.send(compose("GET", "/"))
            until(lambda: len(one.requests) + len(two.requests) == 3, "the hedge arrives")
            posts = [r for r in one.requests + two.requests if r.method == "POST"]
            assert len(posts) == 1
            go.set()
            assert other.response().status == 200
        assert client.response().status == 200


def test_a_failed_hedge_leaves_the_first_try_alone(start_origin, start_gateway):
    go = threading.Event()

    def late(exchange):
        exchange.read_body()
        exchange.wait(go)
        exchange.answer(200, b"first")
    slow, broken = start_origin(late), start_origin(resetting)
    gateway = start_gateway(service(
        slow, broken, hedge=HEDGE, ejection={"failures": 0}, retry={"attempts": 5}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        until(lambda: broken.requests and slow.requests, "both were asked")
        go.set()
        assert client.response().body == b"first"


def test_a_failed_first_try_leaves_the_hedge(start_origin, start_gateway):
    go, asked, tries = threading.Event(), threading.Event(), itertools.count()

    def script(exchange):
        exchange.read_body()
        if next(tries) == 0:
            asked.wait(20)
            return exchange.connection.reset()
        asked.set()
        exchange.wait(go)
        exchange.answer(200, b"second")
    one, two = start_origin(script), start_origin(script)
    gateway = start_gateway(service(
        one, two, hedge=HEDGE, retry={"attempts": 1}, ejection={"failures": 0}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert asked.wait(20)
        until(lambda: any(not c.is_open for c in one.connections + two.connections),
              "the first has failed")
        go.set()
        assert client.response().body == b"second"
    assert gateway.admin.metrics().sum("penstock_hedges_won_total") == 1


def test_nothing_is_asked_again_behind_an_interim_answer(start_origin, start_gateway):
    both, seen, failed = threading.Barrier(2), threading.Event(), threading.Event()
    tries = itertools.count()

    def script(exchange):
        exchange.read_body()
        turn = next(tries)
        if turn > 1:
            return exchange.answer(200, b"once more")
        both.wait(20)
        if turn == 0:
            exchange.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            exchange.wait(seen)
        else:
            exchange.wait(failed)
        exchange.connection.reset()
    one, two = start_origin(script), start_origin(script)
    gateway = start_gateway(service(
        one, two, hedge=HEDGE, retry={"attempts": 5}, ejection={"failures": 0}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert client.interim_head().status == 103
        seen.set()
        until(lambda: gateway.admin.metrics().sum(
            "penstock_tries_total", outcome="transport") == 1, "the first has failed")
        failed.set()
        answer = client.response()
    assert (answer.status, answer.error) == (502, "replica_reset")
    assert len(one.requests) + len(two.requests) == 2


# --- failures that are answers -------------------------------------------------------------------

CALL = {"content-type": "application/grpc", "te": "trailers"}


class Race:
    """Two replicas that are both asked before either answers: one at once, one when let go."""

    def __init__(self, start_origin, start_gateway, first, last, protocol="http1"):
        self.both, self.go = threading.Barrier(2), threading.Event()

        def at_once(exchange):
            exchange.read_body()
            self.both.wait(20)
            first(exchange)

        def let_go(exchange):
            exchange.read_body()
            self.both.wait(20)
            if self.go.wait(20):
                last(exchange)
        http2 = protocol == "h2"
        self.replicas = [start_origin(script, http2=http2) for script in (at_once, let_go)]
        self.gateway = start_gateway(service(revisions=[{
            "name": "stable", "protocol": protocol,
            "endpoints": [replica.address for replica in self.replicas]}],
            hedge=HEDGE, retry={"idempotent": True, "attempts": 1}, ejection={"failures": 0}))
        self.failures, self.outcome = 0, "model"

    def let_last_answer(self):
        """Once the gateway has seen the first answer, and taken it for a failure."""
        self.failures += 1
        until(lambda: self.gateway.admin.metrics().sum(
            "penstock_tries_total", outcome=self.outcome) == self.failures, "the first has failed")
        self.go.set()

    def ask(self, headers=None):
        with Client(self.gateway.address) as client:
            stream = client.begin("POST", "/s/m", headers or {}, ends=False)
            client.data(stream, b"again", ends=True)
            self.let_last_answer()
            answer = client.answer(stream)
        self.go.clear()
        return answer


def telling(status, body=b"", **headers):
    def script(exchange):
        exchange.answer(status, body, {name.replace("_", "-"): value
                                       for name, value in headers.items()})
    return script


def ending(status):
    """A head that is all of a call's answer."""
    def script(exchange):
        exchange.head(200, {"content-type": "application/grpc", "grpc-status": str(status)},
                      ends=True)
    return script


def served(exchange):
    exchange.answer(200, b"\0\0\0\0\2hi", {"content-type": "application/grpc"},
                    trailers=[("grpc-status", "0")])


@pytest.mark.parametrize("protocol", ["http1", "h2"])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_failure_does_not_end_the_race(start_origin, start_gateway, status, protocol):
    race = Race(start_origin, start_gateway, telling(status, b"no"), telling(200, b"yes"),
                protocol)
    # Whichever of the two is asked first.
    for _ in range(4):
        answer = race.ask()
        assert (answer.status, answer.body) == (200, b"yes")
    assert race.gateway.admin.metrics().sum("penstock_hedges_total") == 4


def test_a_call_that_is_unavailable_does_not_end_the_race(start_origin, start_gateway):
    race = Race(start_origin, start_gateway, ending(14), served, "h2")
    for _ in range(4):
        answer = race.ask(CALL)
        assert answer.body == b"\0\0\0\0\2hi"
        assert answer.trailers.get("grpc-status") == "0"


@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_when_both_fail_the_last_word_is_passed_on(start_origin, start_gateway, protocol):
    race = Race(start_origin, start_gateway, telling(503, b"first"),
                telling(502, b"last", x_who="last"), protocol)
    answer = race.ask()
    assert (answer.status, answer.body, answer.header("x-who")) == (502, b"last", "last")


def test_when_both_are_unavailable_the_call_is(start_origin, start_gateway):
    race = Race(start_origin, start_gateway, ending(14), ending(14), "h2")
    answer = race.ask(CALL)
    assert answer.status == 200 and answer.header("grpc-status") == "14"
    assert sum(len(replica.requests) for replica in race.replicas) == 2


@pytest.mark.parametrize("status", [500, 501, 429, 404, 200])
def test_any_other_answer_ends_the_race(start_origin, start_gateway, status):
    race = Race(start_origin, start_gateway, telling(status, b"so"), telling(200, b"late"))
    with Client(race.gateway.address) as client:
        answer = client.request("POST", "/s/m", {}, b"again")
    assert (answer.status, answer.body) == (status, b"so")


@pytest.mark.parametrize("status", [13, 8, 4])
def test_any_other_status_of_a_call_ends_the_race(start_origin, start_gateway, status):
    race = Race(start_origin, start_gateway, ending(status), served, "h2")
    with Client(race.gateway.address) as client:
        answer = client.request("POST", "/s/m", CALL, b"again")
    assert answer.header("grpc-status") == str(status)


def late_by(seconds):
    def script(exchange):
        exchange.read_body()
        watch = Stopwatch()
        until(lambda: watch.seconds > seconds, "the request is late")
        exchange.answer(200)
    return script


def test_the_budget_bounds_hedges(start_origin, start_gateway):
    one, two = (start_origin(late_by(0.03)) for _ in range(2))
    gateway = start_gateway(service(one, two, hedge={"after": "1ms", "budget": "0%"}))
    count = 400

    def ask():
        with gateway.connect() as client:
            for _ in range(count // 8):
                client.send(compose("GET", "/"))
                assert client.response().status == 200
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hedges = len(one.requests) + len(two.requests) - count
    # Ten a second are free, over the ten seconds of the window.
    assert 0 < hedges <= 120, hedges


@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_a_body_that_comes_behind_its_head_is_sent_twice_too(
        start_origin, start_gateway, protocol):
    left, http2 = threading.Event(), protocol == "h2"

    def silent(exchange):
        exchange.read_body()
        left.wait(20)

    def answers(exchange):
        exchange.answer(200, exchange.read_body())
    replicas = [start_origin(script, http2=http2) for script in (silent, answers)]
    gateway = start_gateway(service(revisions=[{
        "name": "stable", "protocol": protocol,
        "endpoints": [replica.address for replica in replicas]}],
        hedge=HEDGE, retry={"idempotent": True}, ejection={"failures": 0}),
        gateway={"workers": 1})
    with Client(gateway.address) as client:
        for _ in range(6):
            seen = len(replicas[0].requests) + len(replicas[1].requests)
            stream = client.begin("POST", "/s/m", {"content-length": "5"}, ends=False)
            until(lambda: len(replicas[0].requests) + len(replicas[1].requests) > seen,
                  "the head has arrived")
            client.data(stream, b"again", ends=True)
            assert client.answer(stream).body == b"again"
    left.set()


def test_trailers_of_a_request_are_sent_twice_too(start_origin, start_gateway):
    left = threading.Event()

    def silent(exchange):
        exchange.read_body()
        left.wait(20)

    def answers(exchange):
        body = exchange.read_body()
        exchange.answer(200, body + exchange.trailers.get("x-sum", "none").encode())
    gateway = start_gateway(service(revisions=[{
        "name": "stable", "protocol": "h2", "endpoints": [
            start_origin(script, http2=True).address for script in (silent, answers)]}],
        hedge=HEDGE, retry={"idempotent": True}, ejection={"failures": 0}),
        gateway={"workers": 1})
    with Client(gateway.address) as client:
        for _ in range(4):
            stream = client.begin("POST", "/s/m", ends=False)
            client.data(stream, b"body ")
            client.trailers(stream, [("x-sum", "42")])
            assert client.answer(stream).body == b"body 42"
    left.set()


def test_one_replica_alone_is_never_asked_twice(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica, hedge={"after": "1ms"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert client.response().status == 200
    assert len(replica.requests) == 1


def test_a_budget_is_not_spent_on_hedges_that_cannot_be(start_origin, start_gateway):
    # Timers are coarse: late is found within 34 ms.
    one, two = (start_origin(late_by(0.15)) for _ in range(2))
    gateway = start_gateway(service(one, two, hedge={"after": "1ms", "budget": "0%"}))

    def ask(count):
        with gateway.connect() as client:
            for _ in range(count):
                client.send(compose("GET", "/"))
                assert client.response().status == 200
    gateway.admin.drain("echo", two.address)
    # More than are free over the ten seconds of the window.
    threads = [threading.Thread(target=ask, args=(8,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gateway.admin.metrics().sum("penstock_hedges_total") == 0
    gateway.admin.undrain("echo", two.address)
    ask(4)
    assert gateway.admin.metrics().sum("penstock_hedges_total") > 0


# --- endings beside a running hedge --------------------------------------------------------------


def broken_status(exchange):
    exchange.send(b"HTTP/1.1 2x0 BAD\r\n\r\n")


def half_a_head(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-")
    exchange.connection.close()


@pytest.mark.parametrize("fault", [broken_status, half_a_head])
def test_a_malformed_answer_does_not_end_the_race(start_origin, start_gateway, fault):
    race = Race(start_origin, start_gateway, fault, telling(200, b"yes"))
    race.outcome = "transport"
    # Whichever of the two is asked first.
    for _ in range(4):
        answer = race.ask()
        assert (answer.status, answer.body) == (200, b"yes")


def test_a_first_byte_timeout_does_not_end_the_race(start_origin, start_gateway):
    go, silent = threading.Event(), threading.Event()

    def script(exchange):
        exchange.read_body()
        if not silent.is_set():
            silent.set()
            return never(threading.Event())(exchange)
        # Once the first has been given up.
        exchange.wait(go)
        exchange.answer(200, b"second")
    gateway = start_gateway(service(
        start_origin(script), start_origin(script), ejection={"failures": 0},
        hedge={"after": "600ms", "budget": "100%"}, timeouts={"first_byte": "1s"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        until(lambda: gateway.admin.metrics().sum("penstock_tries_total", outcome="timeout") == 1,
              "the first was given up")
        go.set()
        assert client.response().body == b"second"


def test_an_upgrade_is_not_hedged(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        exchange.is_body_read = True
        if exchange.request.target == "/chat":
            exchange.wait(go)
            exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                          b"Upgrade: websocket\r\n\r\n")
            exchange.connection.stream.rest()
        else:
            exchange.wait(go)
            exchange.answer(200)
    replicas = [start_origin(script), start_origin(script)]
    gateway = start_gateway(service(
        *replicas, hedge={"after": "1ms", "budget": "100%"}, upgrades=["websocket"]))
    with gateway.connect() as client, gateway.connect() as other:
        client.send(compose("GET", "/chat", {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}))
        until(lambda: sum(len(r.requests) for r in replicas) == 1, "the request arrives")
        # Another request, whose hedge does arrive, shows that time enough has passed.
        other.send(compose("GET", "/"))
        until(lambda: sum(len(r.requests) for r in replicas) == 3, "the hedge arrives")
        go.set()
        assert client.response_head().status == 101
        assert other.response().status == 200


def test_a_hedge_brings_the_trailers(start_origin, start_gateway):
    race = Race(start_origin, start_gateway, telling(503, b"no"), telling(200, b"yes"), "h2")
    with Client(race.gateway.address) as client:
        stream = client.begin("POST", "/s/m", {"te": "trailers"}, ends=False)
        client.data(stream, b"again")
        client.trailers(stream, [("x-checksum", "42")])
        race.let_last_answer()
        assert client.answer(stream).body == b"yes"
    for replica in race.replicas:
        assert replica.requests[0].trailers.get("x-checksum") == "42"
