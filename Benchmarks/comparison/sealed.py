# What TLS costs: requests on connections that stay (wrk, as in the clear), and CPU microseconds per
# handshake, full or resumed, each proven by an answer.

import json
import subprocess

from . import answers, closed_loop, fronts
from .closed_loop import SMALL, interleaved, section
from .process import pinned

CLIENTS = 64  # threads that shake hands, each one connection at a time


class Handshakes:
    def __init__(self, title, kind, against, goals):
        self.title, self.kind, self.against, self.goals = title, kind, against, goals

    def drive(self, rig, peer, seconds):
        """How many handshakes of the kind had their answer, or what was wrong."""
        command = [rig.program("handshakes"), peer.tls_port, seconds, CLIENTS, self.kind]
        counts = json.loads(subprocess.run(
            pinned([str(part) for part in command], rig.load_cores), capture_output=True,
            text=True, check=True).stdout)
        if counts["failed"] or not counts["done"]:
            return 0, f"{counts['failed']} handshakes not {self.kind}, or without an answer"
        return counts["done"], None


FULL = [f"{name}-full" for name in ("nginx", "haproxy", "envoy", "nghttpx")]
LARGE = ["nginx-256k", "haproxy-64k", "haproxy-128k", "envoy", "nghttpx"]

SCENARIOS = {
    "tls-small": closed_loop.Scenario(
        "GET over TLS, 100 bytes back", "/", answers.Expected("/", SMALL),
        ["nginx", "haproxy", "envoy", "nghttpx"], [("haproxy", 0.95), ("nginx", 0.88)]),
    "tls-1m": closed_loop.Scenario(
        "1 MiB back over TLS", "/large", answers.Expected("/large", answers.large_body()),
        LARGE, [("best", 1.0)]),
    "handshake-full": Handshakes(
        "full TLS 1.3 handshakes (P-256, X25519), peers without tickets", "full", FULL,
        [("best", 1.0)]),
    "handshake-resumed": Handshakes(
        "resumed TLS 1.3 handshakes", "resumed", ["nginx", "haproxy", "envoy", "nghttpx"],
        [("best", 1.0)]),
}


def drive(rig, scenario, peer, seconds):
    if isinstance(scenario, Handshakes):
        return scenario.drive(rig, peer, seconds)
    return closed_loop.drive(rig, scenario, peer, seconds, rig.load_cores, is_sealed=True)


def fault(rig, scenario, peer):
    expected = getattr(scenario, "expected", answers.Expected("/", SMALL))
    return expected.fault(peer.tls_port, is_sealed=True)


def run(rig, options, name):
    scenario = SCENARIOS[name]
    running = fronts.standing(rig, ["penstock", *scenario.against], "http/1.1")
    figures = interleaved(
        rig, name, running, options, lambda peer: fault(rig, scenario, peer),
        lambda peer: drive(rig, scenario, peer, options.seconds))
    found = section(name, scenario, figures)
    if isinstance(scenario, Handshakes):
        rates = {peer: round(1e6 / data["median"]) for peer, data in found.data.items()}
        found.lines += ["", "Handshakes per second of CPU: "
                        + ", ".join(f"{peer} {rate}" for peer, rate in rates.items()) + "."]
    return found
