# CPU microseconds per request at one worker: wrk drives the proxies one after the other, in rounds
# that are interleaved, since a shared machine makes single figures worthless.

import pathlib
import re
import statistics
import subprocess

from . import answers
from .process import pinned
from .report import Goal, Section, table

POST = """wrk.method = "POST"
wrk.body = string.rep("x", {size})
wrk.headers["Content-Type"] = "application/octet-stream"
"""
SMALL = b"x" * 100


class Scenario:
    def __init__(self, title, path, expected, against, goals, script="", headers=(), clients=64):
        self.title, self.path, self.expected = title, path, expected
        self.against, self.goals = against, goals
        self.script, self.headers, self.clients = script, headers, clients


PEERS = ["nginx", "haproxy", "envoy"]
# The large scenarios are compared with the best of these.
LARGE = ["nginx", "haproxy-64k", "haproxy-128k", "envoy"]
FLOOR = [("nginx", 0.80), ("haproxy", 0.97), ("envoy", 0.45), ("forwarder", 1.10)]

SCENARIOS = {
    "small": Scenario(
        "GET, 100 bytes back", "/", answers.Expected("/", SMALL),
        ["penstock-log", *PEERS, "forwarder"], FLOOR),
    "post-4k": Scenario(
        "POST of 4 KiB", "/", answers.upload(4096), [*PEERS, "forwarder"], FLOOR,
        script=POST.format(size=4096)),
    "connection": Scenario(
        "a connection per request", "/",
        answers.Expected("/", SMALL, headers={"Connection": "close"}), PEERS,
        [("haproxy", 0.90)], headers=["Connection: close"]),
    "response-1m": Scenario(
        "1 MiB back", "/large", answers.Expected("/large", answers.large_body()), LARGE,
        [("best", 0.95)]),
    "upload-1m": Scenario(
        "POST of 1 MiB", "/", answers.upload(answers.LARGE), LARGE, [("best", 0.95)],
        script=POST.format(size=answers.LARGE)),
    "events-50": Scenario(
        "50 server-sent events, one each 5 ms, 256 at a time", "/events",
        answers.Expected("/events", answers.EVENT * 50), ["nginx", "haproxy-events", "envoy"],
        [("haproxy-events", 0.90)], clients=256),
}


def drive(rig, scenario, peer, seconds, cores, threads=1, is_sealed=False):
    """One run of wrk: how many requests were answered, or what was wrong with the answers."""
    origin = (f"https://127.0.0.1:{peer.tls_port}" if is_sealed
              else f"http://127.0.0.1:{peer.port}")
    command = ["wrk", f"-t{threads}", f"-c{scenario.clients}", f"-d{seconds}s",
               origin + scenario.path]
    for header in scenario.headers:
        command += ["-H", header]
    if scenario.script:
        file = pathlib.Path(rig.folder) / "script.lua"
        file.write_text(scenario.script)
        command += ["-s", str(file)]
    text = subprocess.run(pinned(command, cores), capture_output=True, text=True,
                          check=True).stdout
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    for sign in ("Non-2xx", "Socket errors"):
        if sign in text:
            return 0, next(line.strip() for line in text.splitlines() if sign in line)
    return requests, None if requests else "no request was answered"


def measure_once(peer, drive_once):
    before = peer.cpu_seconds()
    requests, fault = drive_once(peer)
    if fault:
        return None, fault
    return (peer.cpu_seconds() - before) * 1e6 / requests, None


def interleaved(rig, name, running, options, check, drive_once):
    """Figures by peer, a list of rounds; peers with a wrong answer are left out and named. `check`
    says what is wrong with a peer's answer, `drive_once` how many requests it has answered."""
    figures = {}
    for peer_name, peer in running.items():
        fault = check(peer)
        if fault:
            rig.void(name, peer_name, fault)
        else:
            figures[peer_name] = []
    for number in range(options.rounds):
        order = list(figures) if number % 2 == 0 else list(reversed(figures))
        for peer_name in order:
            figure, fault = measure_once(running[peer_name], drive_once)
            if fault:
                rig.void(name, peer_name, fault)
                del figures[peer_name]
            else:
                figures[peer_name].append(figure)
    return figures


def ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


def goals(name, scenario, figures):
    ours = figures.get("penstock")
    for rival, limit in scenario.goals:
        subject = f"CPU over {rival}"
        if rival == "best":
            others = [peer for peer in scenario.against if peer in figures]
            rival = min(others, key=lambda peer: statistics.median(figures[peer]), default=None)
            subject = f"CPU over the best ({rival})"
        measured = ratio(ours, figures[rival]) if ours and rival in figures else None
        yield Goal(name, subject, limit, measured)


def section(name, scenario, figures):
    ours = figures.get("penstock")
    rows = [[peer, f"{statistics.median(values):.2f}",
             f"{ratio(ours, values):.2f}" if ours else "-"] for peer, values in figures.items()]
    data = {peer: {"median": statistics.median(values), "rounds": values}
            for peer, values in figures.items()}
    return Section(f"{name}: {scenario.title}",
                   table(["proxy", "CPU µs per request", "Penstock over it"], rows), data,
                   goals(name, scenario, figures))


def run(rig, options, name):
    scenario = SCENARIOS[name]
    running = rig.peers(["penstock", *scenario.against])
    figures = interleaved(
        rig, name, running, options, lambda peer: scenario.expected.fault(peer.port),
        lambda peer: drive(rig, scenario, peer, options.seconds, rig.load_cores))
    return section(name, scenario, figures)
