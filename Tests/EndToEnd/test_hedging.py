# Hedging: a late answer is asked for a second time elsewhere, the first answer wins, the other try
# is cancelled, and the budget and the rules of repetition hold.

import threading

import pytest

from harness.configuration import service
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
    go, asked = threading.Event(), threading.Event()

    def fails(exchange):
        exchange.read_body()
        asked.wait(20)
        exchange.connection.reset()

    def answers(exchange):
        exchange.read_body()
        asked.set()
        exchange.wait(go)
        exchange.answer(200, b"second")
    bad, good = start_origin(fails), start_origin(answers)
    gateway = start_gateway(service(
        bad, good, hedge=HEDGE, retry={"attempts": 1}, ejection={"failures": 0}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert asked.wait(20)
        until(lambda: bad.requests, "both were asked")
        until(lambda: all(not c.is_open for c in bad.connections), "the first has failed")
        go.set()
        assert client.response().body == b"second"


def test_the_budget_bounds_hedges(start_origin, start_gateway):
    def script(exchange):
        exchange.read_body()
        watch = Stopwatch()
        until(lambda: watch.seconds > 0.03, "the request is late")
        exchange.answer(200)
    one, two = start_origin(script), start_origin(script)
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


def test_one_replica_alone_is_never_asked_twice(start_origin, start_gateway):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica, hedge={"after": "1ms"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert client.response().status == 200
    assert len(replica.requests) == 1
