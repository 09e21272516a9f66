# Random clients against random replicas, with the gateway between them. What each request is, and
# what becomes of it at its replica, follows from its number and a seed alone, so that either side
# knows what the other will have seen: every eight bytes of a body name their request and place.

import random
import socket
import struct
import threading

REPLICAS = ("h1", "h2")


def body_of(number, count):
    words = (count + 7) // 8
    first = number << 32
    return struct.pack(f">{words}Q", *range(first, first + words))[:count]


def differences(expected, body):
    """Where bodies part, and whose words stand there."""
    words = [struct.unpack(">II", body[at:at + 8]) for at in range(0, len(body) - 7, 8)]
    wanted = [struct.unpack(">II", expected[at:at + 8]) for at in range(0, len(expected) - 7, 8)]
    return len(body), [
        (index * 8, word) for index, word in enumerate(words)
        if index >= len(wanted) or word != wanted[index]][:4]


class Plan:
    """One request, its answer, and what goes wrong. `calm` plans have faults of one request only;
    others may take a connection with them."""

    def __init__(self, seed, number, calm):
        dice = random.Random(f"{seed}/{number}")
        self.number = number
        self.replica = dice.choice(REPLICAS)
        self.method = dice.choice(["GET", "GET", "POST", "POST", "PUT", "HEAD"])
        self.is_grpc = self.method == "POST" and dice.random() < .2
        sizes = [0, 1, 7, 500, 5_000, 16_384, 40_000, 150_000]
        self.up = dice.choice(sizes) if self.method in ("POST", "PUT") else 0
        self.counts_up = dice.random() < .5
        self.up_trailers = self.up > 0 and not self.counts_up and dice.random() < .3
        self.status = dice.choice([200] * 8 + [204, 304, 404, 503])
        is_bare = self.status in (204, 304) or self.method == "HEAD"
        self.down = 0 if is_bare else dice.choice(sizes)
        self.framing = dice.choice(["length", "chunked", "close"])
        self.trailers = (not is_bare and self.framing == "chunked" and dice.random() < .4)
        self.interim = dice.choice([0, 0, 0, 1, 3])
        self.is_early = dice.random() < .15
        self.pauses = dice.random() < .3
        self.fault = None
        if dice.random() < .25:
            kinds = {"h1": ["reset", "close"], "h2": ["stream"] * 3}[self.replica]
            if not calm and self.replica == "h2":
                kinds = kinds + ["connection", "goaway", "garbage"]
            self.fault = dice.choice(kinds)
            # Before a head, behind it, or somewhere in the body; never where it would be whole.
            self.fault_at = dice.choice([-1, 0, self.down // 2, max(0, self.down - 1)])
            if not self.down:
                self.fault_at = -1
            # An end is the end of such a body: only a reset tells.
            if self.framing == "close" and self.fault == "close" and self.fault_at >= 0:
                self.fault = "reset"
            self.faulty_tries = dice.choice([1, 1, 9])

    def pieces(self, data):
        dice = random.Random(self.number)
        while data:
            count = dice.choice([1, 9, 100, 3_000, 16_384, 60_000])
            yield data[:count]
            data = data[count:]

    def answer(self):
        return body_of(self.number, self.down)

    def request(self):
        return body_of(self.number, self.up)


class Referee:
    """What replicas have seen and done, and every rule that was broken."""

    def __init__(self, seed, calm):
        self.seed, self.calm = seed, calm
        self.lock = threading.Lock()
        self.tries, self.completed, self.broken = {}, set(), []

    def plan(self, number):
        return Plan(self.seed, number, self.calm)

    def begin(self, number):
        """Which try of the request this is."""
        with self.lock:
            self.tries[number] = self.tries.get(number, 0) + 1
            return self.tries[number]

    def complete(self, number):
        with self.lock:
            self.completed.add(number)

    def blame(self, number, what):
        with self.lock:
            self.broken.append((self.seed, number, what, self.tries.get(number)))

    def saw_request(self, plan, data, is_whole, trailers=None):
        """At a replica."""
        if not plan.request().startswith(data):
            self.blame(plan.number, "bytes of another request came to the replica")
        if is_whole and len(data) != plan.up:
            self.blame(plan.number, f"{len(data)} of {plan.up} bytes passed for a whole request")
        wanted = {"x-trail": str(plan.number)} if plan.up_trailers else {}
        if is_whole and trailers is not None and trailers != wanted:
            self.blame(plan.number, f"trailers of the request: {trailers}, not {wanted}")

    def saw_answer(self, plan, seen, isolated):
        """At a client: `seen` is an `Outcome`; `isolated` when nothing else could disturb it."""
        number = plan.number
        expected = plan.answer()
        for head in seen.interim:
            if head.get("x-early") != str(number):
                self.blame(number, f"an interim head of another request: {head}")
        if seen.head is None:
            if isolated and not plan.fault and not seen.left:
                self.blame(number, f"no answer at all: {seen.end}")
            return
        if "x-penstock-error" in seen.head:
            if isolated and not plan.fault and not seen.left:
                self.blame(number, f"refused for no reason: {seen.head}")
            return
        if seen.head.get("x-number") != str(number):
            self.blame(number, f"the head of another answer: {seen.head}")
        if not expected.startswith(seen.body):
            self.blame(number, f"not the answer's: {differences(expected, seen.body)}")
        if seen.is_whole:
            if number not in self.completed:
                self.blame(number, "an answer that its replica did not complete looks complete")
            if len(seen.body) != plan.down:
                self.blame(number, f"{len(seen.body)} of {plan.down} bytes look complete")
            wanted = {"x-trail": str(number)} if plan.trailers else {}
            if seen.trailers is not None and seen.trailers != wanted:
                self.blame(number, f"trailers {seen.trailers}, not {wanted}")
        elif isolated and not plan.fault and not seen.left:
            self.blame(number, f"cut for no reason: {seen.end}, {len(seen.body)} bytes")


class Outcome:
    """What a client saw of one request."""

    def __init__(self):
        self.interim, self.head, self.body = [], None, b""
        # None where the way it came cannot carry any.
        self.trailers = None
        self.is_whole, self.left, self.end = False, False, None


def with_reset(connected):
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()
