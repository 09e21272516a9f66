# Latency that a proxy adds at a fixed rate: requests are sent when their time has come, and waited
# for from then on. The same rate straight to the replica is what the figures are over. Everything
# runs with real-time priority where that is allowed; runs that a neighbour on the machine has
# disturbed all the same are known by their waiting for a core, and do not count.

import json
import statistics
import subprocess

from . import answers
from .process import pinned
from .report import Goal, Section, table

# A sixth of what the slowest peer can do on one core: nobody queues for long, yet every
# wake-up and every stall shows.
RATE = 5000
CONNECTIONS = 64
SECONDS, WARM_UP = 1, 0.2
PEERS = ["nginx", "haproxy", "envoy", "forwarder"]
# The forwarder is a floor, not a peer.
RIVALS = ["nginx", "haproxy", "envoy"]
QUANTILES = ["p50", "p99", "p999"]
# Undisturbed runs of each way: wanted, and the fewest that count. Rounds go on until all have
# them, within what a patient run may take.
WANTED, FEWEST, PATIENCE = 2, 3, 6
# Microseconds that the generator was late at the 99th percentile.
LATE_MAX = 50
# Share of the time that proxy and replica waited for a core: below what moves a 99th percentile.
WAITED_MAX = 0.004


def generate(rig, way, port, in_real_time):
    """One run; `waited` is the share of it in which proxy or replica had to wait for a core."""
    watched = {way, rig.replica}
    before = sum(process.waited_seconds() for process in watched)
    command = [rig.program("openloop"), port, RATE, SECONDS, WARM_UP, CONNECTIONS]
    command += ["--real-time"] if in_real_time else []
    text = subprocess.run(pinned([str(part) for part in command], rig.load_cores),
                          capture_output=True, text=True, check=True).stdout
    waited = sum(process.waited_seconds() for process in watched) - before
    return {**json.loads(text), "waited": waited / SECONDS}


def is_sound(figure):
    return figure["late_p99"] <= LATE_MAX and figure["waited"] <= WAITED_MAX


def rounds(rig, options, running):
    figures = {name: [] for name in running}
    # All of them: who is denied it must not be compared with who has it.
    in_real_time = all([process.run_in_real_time(True) for process in running.values()])
    wanted = options.rounds * WANTED
    for number in range(wanted * PATIENCE):
        if all(sum(map(is_sound, runs)) >= wanted for runs in figures.values()):
            break
        order = list(figures) if number % 2 == 0 else list(reversed(figures))
        for name in order:
            figure = generate(rig, running[name], running[name].port, in_real_time)
            if figure["failed"]:
                rig.void("open-loop", name, f"{figure['failed']} requests failed")
                del figures[name]
            else:
                figures[name].append(figure)
    for process in running.values():
        process.run_in_real_time(False)
    return figures


def median(runs, quantile):
    """Of the undisturbed runs; None when they were too few."""
    sound = [run[quantile] for run in runs if is_sound(run)]
    return statistics.median(sound) if len(sound) >= FEWEST else None


def added(figures, name, quantile):
    """Over the direct way, in microseconds."""
    via, direct = (median(figures.get(way, []), quantile) for way in (name, "direct"))
    return None if via is None or direct is None else via - direct


def shown(value):
    return "-" if value is None else f"{value:.0f}"


def goals(over):
    ours = over.get("penstock", {}).get("p99")
    for rival in RIVALS:
        theirs = over.get(rival, {}).get("p99")
        measured = ours / theirs if ours is not None and theirs and theirs > 0 else None
        yield Goal("open-loop", f"added p99 over {rival}", 1.0, measured,
                   note="not measurable now: the machine is too busy")


def run(rig, options, name):
    running = {"direct": rig.replica, **rig.peers(["penstock", *PEERS])}
    expected = answers.Expected("/", b"x" * 100)
    for peer in list(running):
        fault = expected.fault(running[peer].port)
        if fault:
            rig.void(name, peer, fault)
            del running[peer]
    figures = rounds(rig, options, running)
    over = {peer: {q: added(figures, peer, q) for q in QUANTILES}
            for peer in figures if peer != "direct"}
    rows = [[peer, f"{sum(map(is_sound, runs))} of {len(runs)}",
             *(shown(median(runs, q)) for q in QUANTILES),
             *(shown(over.get(peer, {}).get(q)) for q in ("p50", "p99"))]
            for peer, runs in figures.items()]
    lines = [f"{RATE} requests a second on {CONNECTIONS} connections, microseconds. Medians of the "
             f"runs of {SECONDS} s in which the generator was late by {LATE_MAX} µs at most at the "
             f"99th percentile, and proxy and replica waited for a core for {WAITED_MAX:.1%} of "
             "the time at most.", "",
             *table(["way", "undisturbed", "p50", "p99", "p99.9", "added p50", "added p99"],
                    rows)]
    data = {"rate": RATE, "connections": CONNECTIONS, "runs": figures, "added": over}
    return Section("open-loop: added latency at a fixed rate", lines, data, goals(over))
