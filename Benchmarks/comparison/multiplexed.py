# CPU microseconds per request where clients speak HTTP/2: h2load drives the proxies one after the
# other, in interleaved rounds, before replicas of either version; and gRPC calls, whose trailers
# and messages are looked at before anything is measured.

import pathlib
import re
import subprocess

from . import answers, fronts
from .closed_loop import SMALL, interleaved, section
from .process import pinned

# Connections, and streams at a time on each.
CLIENTS, STREAMS = 16, 16
SPAN_SECONDS = 0.25  # what an answer of 50 parts takes
REQUEST = b"\0\0\0\0" + bytes([SMALL_BYTES := 100]) + b"q" * SMALL_BYTES
REPLY = b"\0\0\0\0d" + SMALL
MESSAGES = (b"\0\0\0\0@" + b"y" * 64) * 50
GRPC = ["content-type: application/grpc", "te: trailers"]


class Scenario:
    """Requests for one path; `is_sealed` over TLS. Paced ones are counted, not timed."""

    def __init__(self, title, path, body, against, goals, spoken="http/1.1", is_sealed=False,
                 request=None, is_paced=False, windows=()):
        self.title, self.path, self.body, self.spoken = title, path, body, spoken
        self.against, self.goals, self.windows = against, goals, windows
        self.is_sealed, self.request, self.is_paced = is_sealed, request, is_paced

    def url(self, peer):
        scheme, port = ("https", peer.tls_port) if self.is_sealed else ("http", peer.clear_port)
        return f"{scheme}://127.0.0.1:{port}{self.path}"


PEERS = ["nginx", "haproxy", "envoy", "nghttpx"]
# nginx speaks HTTP/2 to replicas for gRPC alone.
WITHOUT_NGINX = ["haproxy", "envoy", "nghttpx"]
EVENTS = ["nginx", "haproxy-events", "envoy", "nghttpx"]
LARGE = ["nginx-256k", "haproxy-64k", "haproxy-128k", "envoy", "nghttpx"]
# Powers of two: what a browser grants, a MiB to a stream and 16 to a connection.
BROWSER = ["-w", "20", "-W", "24"]
FEWER = [("haproxy", 1.0), ("nghttpx", 1.0), ("envoy", 0.35)]
GOALS = [*FEWER, ("nginx", 0.5)]

SCENARIOS = {
    "h2-tls": Scenario(
        "HTTP/2 over TLS, replicas with HTTP/1.1", "/", SMALL, PEERS, GOALS, is_sealed=True),
    "h2-tls-h2": Scenario(
        "HTTP/2 over TLS, replicas with HTTP/2", "/", SMALL, WITHOUT_NGINX, FEWER, "h2",
        is_sealed=True),
    "h2-clear": Scenario(
        "HTTP/2 in the clear, replicas with HTTP/1.1", "/", SMALL, PEERS, GOALS),
    "h2-clear-h2": Scenario(
        "HTTP/2 in the clear, replicas with HTTP/2", "/", SMALL, WITHOUT_NGINX, FEWER, "h2"),
    "h2-1m": Scenario(
        "1 MiB back over HTTP/2 and TLS, replicas with HTTP/1.1", "/large", answers.large_body(),
        LARGE, [("best", 1.0)], is_sealed=True, windows=BROWSER),
    "grpc-unary": Scenario(
        "gRPC calls with messages of 100 bytes", "/bench.Model/Infer", REPLY, PEERS,
        [("envoy", 0.4)], "h2", request=REQUEST),
    "grpc-stream": Scenario(
        "gRPC answers of 50 messages, one each 5 ms, 256 at a time", "/bench.Model/Stream",
        MESSAGES, PEERS, [("envoy", 0.4)], "h2", request=REQUEST, is_paced=True),
    "h2-events": Scenario(
        "50 server-sent events over HTTP/2 and TLS, one each 5 ms, 256 at a time", "/events",
        answers.EVENT * 50, EVENTS, [("haproxy-events", 1.0), ("nghttpx", 1.0)],
        is_sealed=True, is_paced=True),
}


def request_arguments(rig, scenario, option):
    """The headers and the body of a gRPC call, for curl or h2load."""
    if scenario.request is None:
        return []
    file = pathlib.Path(rig.folder) / "request"
    file.write_bytes(scenario.request)
    headers = [part for header in GRPC for part in ("-H", header)]
    return [*headers, option, f"@{file}" if option == "--data-binary" else str(file)]


def fault(rig, scenario, peer):
    """What is wrong with the answer through that proxy; None if nothing is."""
    head, body = rig.folder / "head", rig.folder / "body"
    version = "--http2" if scenario.is_sealed else "--http2-prior-knowledge"
    command = ["curl", "-sk", version, "-m", "20", "-D", str(head), "-o", str(body),
               *request_arguments(rig, scenario, "--data-binary"), scenario.url(peer)]
    if subprocess.run(command).returncode != 0:
        return "no whole answer"
    text, found = head.read_text(), body.read_bytes()
    if not text.startswith("HTTP/2 200"):
        return f"answered {text.splitlines()[0]}"
    if found != scenario.body:
        return f"{len(found)} bytes, not the {len(scenario.body)} that were sent"
    if scenario.request and not re.search(r"^grpc-status: 0\r?$", text, re.MULTILINE):
        return "the trailers did not say that the call succeeded"
    return None


def drive(rig, scenario, peer, seconds):
    """One run of h2load: how many requests were answered, or what was wrong with the answers."""
    at_once = CLIENTS * STREAMS
    length = ["-n", str(int(seconds / SPAN_SECONDS) * at_once)] if scenario.is_paced else [
        "-D", str(seconds)]
    command = ["h2load", *length, "-c", str(CLIENTS), "-m", str(STREAMS), *scenario.windows,
               *request_arguments(rig, scenario, "-d"), scenario.url(peer)]
    text = subprocess.run(pinned(command, rig.load_cores), capture_output=True, text=True,
                          check=True).stdout
    done, failed, errored = map(int, re.search(
        r"(\d+) succeeded, (\d+) failed, (\d+) errored", text).groups())
    right = int(re.search(r"(\d+) 2xx", text).group(1))
    data = int(re.search(r"\((\d+)\) data", text).group(1))
    if failed or errored or not done:
        return 0, f"{failed} requests failed, {errored} had errors, {done} succeeded"
    # Those under way at the end are counted in part.
    surplus = at_once if not scenario.is_paced else 0
    if not done <= right <= done + surplus:
        return 0, f"{right} answers of {done} were 200"
    wanted = len(scenario.body)
    if not done * wanted <= data <= (done + surplus) * wanted:
        return 0, f"{data} bytes in {done} answers of {wanted}"
    return done, None


def run(rig, options, name):
    scenario = SCENARIOS[name]
    running = fronts.standing(rig, ["penstock", *scenario.against], scenario.spoken)
    figures = interleaved(
        rig, name, running, options, lambda peer: fault(rig, scenario, peer),
        lambda peer: drive(rig, scenario, peer, options.seconds))
    return section(name, scenario, figures)
