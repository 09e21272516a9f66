# Latency that a proxy adds at a fixed rate: requests are sent when their time has come, and waited
# for from then on. The same rate straight to the replica is what the figures are over.

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
PEERS = ["nginx", "haproxy", "envoy", "forwarder"]
QUANTILES = ["p50", "p99", "p999"]
# The forwarder is a floor, not a peer.
RIVALS = ["nginx", "haproxy", "envoy"]
# Rounds are short and many: a neighbour's burst spoils few of them.
ROUNDS_EACH = 2
# Microseconds at the 99th percentile. A generator that was later was kept from its core: the
# round tells of the neighbours and counts for nobody.
LATE_MAX = 50
ROUNDS_MIN = 3


def generate(rig, port, seconds):
    warm_up = min(0.3, seconds / 4)
    command = [rig.program("openloop"), port, RATE, seconds, warm_up, CONNECTIONS]
    text = subprocess.run(pinned([str(part) for part in command], rig.load_cores),
                          capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def rounds(rig, options, running):
    figures = {name: [] for name in running}
    for number in range(options.rounds * ROUNDS_EACH):
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for name in [name for name in order if name in figures]:
            figure = generate(rig, running[name].port, options.seconds)
            if figure["failed"]:
                rig.void("open-loop", name, f"{figure['failed']} requests failed")
                del figures[name]
            else:
                figures[name].append(figure)
    return figures


def is_sound(figure):
    return figure["late_p99"] <= LATE_MAX


def median(figures, quantile):
    """Of the rounds in which the generator kept its time; None when they were too few."""
    sound = [figure[quantile] for figure in figures if is_sound(figure)]
    return statistics.median(sound) if len(sound) >= ROUNDS_MIN else None


def added(figures, name, quantile):
    """Over the direct way in the same round; the median of the rounds, in microseconds."""
    over = [via[quantile] - direct[quantile]
            for via, direct in zip(figures[name], figures["direct"])
            if is_sound(via) and is_sound(direct)]
    return statistics.median(over) if len(over) >= ROUNDS_MIN else None


def shown(value):
    return "-" if value is None else f"{value:.0f}"


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
            for peer in figures if peer != "direct" and "direct" in figures}
    rows = [[peer, *(shown(median(values, q)) for q in QUANTILES),
             *(shown(over.get(peer, {}).get(q)) for q in ("p50", "p99"))]
            for peer, values in figures.items()]
    every = [figure for values in figures.values() for figure in values]
    unsound = sum(not is_sound(figure) for figure in every)
    lines = [f"{RATE} requests a second on {CONNECTIONS} connections, microseconds; added: over "
             "the direct way in the same round.", "",
             *table(["way", "p50", "p99", "p99.9", "added p50", "added p99"], rows), "",
             f"In {unsound} of {len(every)} runs the generator was kept from its core for more "
             f"than {LATE_MAX} µs at the 99th percentile; they do not count."]
    data = {"rate": RATE, "connections": CONNECTIONS, "rounds": figures, "added": over}
    return Section("open-loop: added latency at a fixed rate", lines, data, goals(over))


def goals(over):
    ours = over.get("penstock", {}).get("p99")
    for rival in RIVALS:
        theirs = over.get(rival, {}).get("p99")
        measured = ours / theirs if ours is not None and theirs and theirs > 0 else None
        yield Goal("open-loop", f"added p99 over {rival}", 1.0, measured,
                   note="not measurable now: the machine is too busy")
