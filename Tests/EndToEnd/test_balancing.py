# Which replica gets the next request: each algorithm's promise, weights, and sticky sessions. Held
# requests make counts exact: what is under way cannot change while it is counted.

import threading

import pytest

from harness.configuration import service
from harness.load import Load
from harness.messages import compose
from harness.origin import held
from harness.waiting import Stopwatch, until

pytestmark = pytest.mark.core


def balanced(replicas, algorithm, **more):
    return service(*replicas, balancing={"algorithm": algorithm, **more})


def weighted(replica, weight):
    return {"address": replica.address, "weight": weight}


def counts(replicas):
    return [len(replica.requests) for replica in replicas]


class HeldRequests:
    """Requests that stay under way, each on a connection of its own, sent one after another."""

    def __init__(self, gateway, replicas):
        self._gateway, self._replicas, self.clients = gateway, replicas, []

    def send(self, number):
        for _ in range(number):
            before = sum(counts(self._replicas))
            client = self._gateway.connect()
            client.send(compose())
            self.clients.append(client)
            until(lambda: sum(counts(self._replicas)) == before + 1, "a replica has the request")

    def finish(self):
        return [client.response().status for client in self.clients]


def test_round_robin_spreads_exactly(start_origin, start_gateway):
    replicas = [start_origin() for _ in range(4)]
    gateway = start_gateway(balanced(replicas, "round_robin"), gateway={"workers": 1})
    with gateway.connect() as client:
        for _ in range(40):
            client.get()
    assert counts(replicas) == [10] * 4


def test_round_robin_on_several_workers_is_even_within_their_number(start_origin, start_gateway):
    replicas = [start_origin() for _ in range(3)]
    gateway = start_gateway(balanced(replicas, "Round Robin"), gateway={"workers": 4})
    for _ in range(60):
        gateway.get()
    assert sum(counts(replicas)) == 60
    assert max(counts(replicas)) - min(counts(replicas)) <= 4


def test_round_robin_follows_weights_smoothly(start_origin, start_gateway):
    replicas = [start_origin() for _ in range(3)]
    gateway = start_gateway(
        service(*[weighted(r, w) for r, w in zip(replicas, (5, 1, 2))]), gateway={"workers": 1})
    order = [gateway.get().json()["origin"] for _ in range(80)]
    assert counts(replicas) == [50, 10, 20]
    assert all(len(set(order[n:n + 8])) == 3 for n in range(0, 80, 8)), "smooth, not in runs"


def test_least_connections_is_exact_over_all_workers(start_origin, start_gateway):
    go = threading.Event()
    replicas = [start_origin(held(go)) for _ in range(4)]
    gateway = start_gateway(balanced(replicas, "least_connections"), gateway={"workers": 4})
    requests = HeldRequests(gateway, replicas)
    for level in range(1, 6):
        requests.send(4)
        assert counts(replicas) == [level] * 4
    flights = [e["in_flight"] for e in gateway.admin.endpoints().values()]
    assert flights == [5] * 4
    go.set()
    assert requests.finish() == [200] * 20


def test_least_connections_follows_weights(start_origin, start_gateway):
    go = threading.Event()
    replicas = [start_origin(held(go)) for _ in range(2)]
    endpoints = [weighted(replicas[0], 3), weighted(replicas[1], 1)]
    gateway = start_gateway(
        service(*endpoints, balancing={"algorithm": "least_connections"}))
    requests = HeldRequests(gateway, replicas)
    requests.send(16)
    assert counts(replicas) == [12, 4]
    go.set()
    requests.finish()


def test_a_finished_request_makes_room(start_origin, start_gateway):
    gates = [threading.Event(), threading.Event()]
    replicas = [start_origin(held(gate)) for gate in gates]
    gateway = start_gateway(balanced(replicas, "least_connections"))
    requests = HeldRequests(gateway, replicas)
    requests.send(6)
    gates[0].set()
    until(lambda: gateway.admin.metrics().sum(
        "penstock_requests_in_flight", endpoint=replicas[0].address) == 0, "the first is free")
    gates[0].clear()
    before = counts(replicas)
    requests.send(3)
    assert counts(replicas) == [before[0] + 3, before[1]]
    for gate in gates:
        gate.set()
    requests.finish()


def test_random_two_choices_avoids_the_loaded_one(start_origin, start_gateway):
    go = threading.Event()
    replicas = [start_origin(held(go)) for _ in range(5)]
    gateway = start_gateway(balanced(replicas, "random_two_choices"))
    requests = HeldRequests(gateway, replicas)
    requests.send(50)
    # Two choices of five over 50: the largest load is 10 plus a little; random alone reaches 17.
    assert max(counts(replicas)) <= 13 and min(counts(replicas)) >= 6
    go.set()
    requests.finish()


def test_ip_hash_keeps_a_client_and_spreads_clients(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(replicas, "ip_hash"), gateway={"workers": 3})
    places = {}
    for number in range(1, 101):
        source = f"127.0.1.{number}"
        seen = {gateway.get(source=source).json()["origin"] for _ in range(3)}
        assert len(seen) == 1, source
        places[source] = seen.pop()
    spread = [list(places.values()).count(f"r{n}") for n in range(4)]
    assert min(spread) >= 8, spread


def test_ip_hash_sees_the_client_behind_a_chain_of_trusted_proxies(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(replicas, "ip_hash"), gateway={
        "trusted_proxies": ["127.0.0.1/32", "10.0.0.0/8"]})

    def place(*lists, source="127.0.0.1"):
        headers = [("X-Forwarded-For", text) for text in lists]
        return gateway.get(headers=headers, source=source).json()["origin"]
    places = []
    for number in range(1, 61):
        client = f"127.0.4.{number}"
        ways = {place(source=client), place(client), place(f"6.6.6.6, {client}:4711"),
                place(f"{client}, 10.0.0.{number % 7}"), place(client, "10.0.0.1, 10.9.9.9")}
        assert len(ways) == 1, client
        places.append(ways.pop())
    assert len(set(places)) == 4
    # A stranger's word for somebody else does not count.
    assert {place("203.0.113.7", source="127.0.4.1"), place("8.8.8.8", source="127.0.4.1")} == {
        places[0]}


def test_ip_hash_moves_only_the_clients_of_a_lost_replica(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(replicas, "ip_hash"))
    sources = [f"127.0.2.{number}" for number in range(1, 61)]

    def places():
        return {source: gateway.get(source=source).json()["origin"] for source in sources}
    before = places()
    gateway.admin.drain("echo", replicas[1].address)
    without = places()
    moved = {source for source in sources if without[source] != before[source]}
    assert moved == {source for source in sources if before[source] == "r1"}
    assert len({without[source] for source in moved}) > 1, "each to its own next choice"
    gateway.admin.undrain("echo", replicas[1].address)
    assert places() == before


def test_least_latency_avoids_the_slow_replica(start_origin, start_gateway):
    def slow(exchange):
        exchange.read_body()
        threading.Event().wait(0.06)
        exchange.answer(200, b"slow")
    replicas = [start_origin(slow)] + [start_origin() for _ in range(3)]
    gateway = start_gateway(balanced(replicas, "least_latency"))
    Load(gateway.address, clients=4, requests_max=800).run().assert_all_ok()
    assert counts(replicas)[0] < 0.4 * min(counts(replicas)[1:])


def test_a_sticky_cookie_keeps_a_client_on_its_replica(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(
        replicas, "round_robin", sticky={"cookie": "penstock", "ttl": "1h"}))
    first = gateway.get()
    cookie = first.header("set-cookie").split(";")
    pair, attributes = cookie[0], {a.strip().lower() for a in cookie[1:]}
    assert pair.startswith("penstock=") and "httponly" in attributes
    assert "127.0.0.1" not in pair and str(replicas[0].address.split(":")[1]) not in pair
    for _ in range(20):
        answer = gateway.get("/", {"Cookie": f"a=b; {pair}; c=d"})
        assert answer.json()["origin"] == first.json()["origin"]
    seen = {gateway.get().json()["origin"] for _ in range(40)}
    assert len(seen) == 4, "who has no cookie is balanced"


def test_a_forged_sticky_cookie_is_ignored(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(3)]
    gateway = start_gateway(balanced(replicas, "round_robin", sticky={"cookie": "penstock"}))
    pair = gateway.get().header("set-cookie").split(";")[0]
    name, value = pair.split("=", 1)
    forged = value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]
    seen = set()
    for text in (forged, "", "x" * 300, "\"quoted\"", value + "x") * 6:
        answer = gateway.get("/", {"Cookie": f"{name}={text}"})
        assert answer.status == 200
        seen.add(answer.json()["origin"])
    assert len(seen) == 3


def test_a_sticky_session_moves_once_when_its_replica_is_gone(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(replicas, "round_robin", sticky={"cookie": "penstock"}))
    first = gateway.get()
    pair = first.header("set-cookie").split(";")[0]
    home = next(r for r in replicas if r.name == first.json()["origin"])
    home.die()
    moved = gateway.get("/", {"Cookie": pair})
    assert moved.status == 200 and moved.json()["origin"] != home.name
    fresh = moved.header("set-cookie").split(";")[0]
    seen = {gateway.get("/", {"Cookie": fresh}).json()["origin"] for _ in range(12)}
    assert seen == {moved.json()["origin"]}
    home.listen()
    seen = {gateway.get("/", {"Cookie": fresh}).json()["origin"] for _ in range(12)}
    assert seen == {moved.json()["origin"]}, "it does not move back"


def test_a_sticky_header_keeps_a_key_on_its_replica(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(
        replicas, "round_robin", sticky={"header": "x-session"}), gateway={"workers": 3})
    places = {}
    for number in range(60):
        header = {"X-Session": f"session-{number}"}
        seen = {gateway.get("/", header).json()["origin"] for _ in range(3)}
        assert len(seen) == 1
        places[number] = seen.pop()
    assert len(set(places.values())) == 4


def test_a_sticky_cookie_survives_a_restart(start_origin, start_gateway):
    replicas = [start_origin(name=f"r{n}") for n in range(4)]
    gateway = start_gateway(balanced(replicas, "round_robin", sticky={"cookie": "penstock"}))
    first = gateway.get()
    pair = first.header("set-cookie").split(";")[0]
    gateway.settle()
    gateway.stop()
    gateway.start()
    seen = {gateway.get("/", {"Cookie": pair}).json()["origin"] for _ in range(8)}
    assert seen == {first.json()["origin"]}


def test_slow_start_gives_a_new_replica_a_growing_share(start_origin, start_gateway):
    replicas = [start_origin() for _ in range(2)]
    watch = Stopwatch()
    gateway = start_gateway(
        balanced(replicas, "round_robin", slow_start="3s"), gateway={"workers": 1})
    newcomer = start_origin()
    until(lambda: watch.seconds > 4, "the others have started", 10)
    whole = gateway.configuration
    whole["services"][0]["revisions"][0]["endpoints"].append(newcomer.address)
    assert gateway.reload(whole)
    with gateway.connect() as client:
        for _ in range(60):
            client.get()
        assert 0 < len(newcomer.requests) < 15, "a full share would be 20"
        until(lambda: watch.seconds > 8.5, "it has started, too", 10)
        before = len(newcomer.requests)
        for _ in range(60):
            client.get()
    assert len(newcomer.requests) - before == 20
