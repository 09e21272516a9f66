# What a second worker is worth, and all of them: requests per second at saturation, with the same
# replicas and generators beside one worker and beside two. Where those are the limit, this says so
# and shows what can be told: whether a request costs the same CPU.

import statistics
import time

from . import peers
from .answers import Expected
from .closed_loop import SMALL, Scenario, drive
from .report import Goal, Section, table

CORES_NEEDED = 4
GOAL = 1.9
# Eight requests at a time on a connection: a generator on one core must feed workers on two.
PIPELINE = """
init = function(args)
  local requests = {}
  for i = 1, 8 do requests[i] = wrk.format("GET", "/") end
  eight = table.concat(requests)
end
request = function() return eight end
"""
LOAD = Scenario("small, pipelined", "/", Expected("/", SMALL), [], [], script=PIPELINE,
                clients=512)
# Below it the workers waited for work: then the load was the limit, not they.
SATURATED = 0.9


def measure(rig, penstock, workers, cores, seconds):
    """Requests per second, CPU microseconds per request, and how busy a worker was."""
    before, began = penstock.cpu_seconds(), time.monotonic()
    requests, fault = drive(rig, LOAD, penstock, seconds, cores, threads=len(cores) // 2)
    spent, took = penstock.cpu_seconds() - before, time.monotonic() - began
    if fault:
        rig.void("scaling", f"{workers} workers", fault)
        return None
    return {"per_second": requests / took, "cpu": spent * 1e6 / requests,
            "busy": spent / took / workers}


def rounds(rig, options, running, cores):
    figures = {workers: [] for workers in running}
    for _ in range(options.rounds):
        for workers, penstock in running.items():
            figure = measure(rig, penstock, workers, cores, options.seconds)
            if figure is None:
                return None
            figures[workers].append(figure)
    return figures


def median(figures, workers, key):
    return statistics.median(one[key] for one in figures[workers])


def ratio(figures, more, key):
    return statistics.median(a[key] / b[key] for a, b in zip(figures[more], figures[1]))


def goal(figures):
    if figures is None:
        return Goal("scaling", "two workers over one", GOAL, None, at_least=True)
    throughput, cost = ratio(figures, 2, "per_second"), ratio(figures, 2, "cpu")
    if throughput >= GOAL or median(figures, 2, "busy") >= SATURATED:
        return Goal("scaling", "two workers over one", GOAL, throughput, at_least=True)
    note = (f"not measurable here: two workers were {median(figures, 2, 'busy'):.0%} busy, the "
            f"load was the limit; a request costs {cost:.2f} of one worker's CPU, "
            f"so two can do {2 / cost:.2f} times as much")
    return Goal("scaling", "two workers over one", GOAL, None, at_least=True, note=note)


def run(rig, options, name):
    if rig.core_count < CORES_NEEDED:
        note = f"not measurable here: {rig.core_count} cores"
        return Section("scaling: one worker and two", [note], {},
                       [Goal(name, "two workers over one", GOAL, None, True, note=note)])
    # What two workers leave, for replicas and generators: whoever has more to do takes more.
    rest = list(range(2, rig.core_count))
    replicas = [rig.start_replica(rest) for _ in rest]
    counts = {1: [0], 2: [0, 1], rig.core_count: None}
    running = {workers: peers.start_penstock(rig, workers, replicas, cores)
               for workers, cores in counts.items()}
    figures = rounds(rig, options, running, rest)
    for process in [*running.values(), *replicas]:
        rig.stop(process)
    rows = [[str(workers), f"{median(figures, workers, 'per_second'):.0f}",
             f"{ratio(figures, workers, 'per_second'):.2f}",
             f"{median(figures, workers, 'busy'):.0%}",
             f"{median(figures, workers, 'cpu'):.2f}", f"{ratio(figures, workers, 'cpu'):.2f}"]
            for workers in running] if figures else []
    lines = [f"Small requests, eight at a time on {LOAD.clients} connections. One worker has a "
             f"core, two have two; {len(replicas)} replicas and the generator share the others. As "
             "many workers as cores share them with the load.", "",
             *table(["workers", "requests a second", "over one", "busy", "CPU µs per request",
                     "over one"], rows)]
    return Section("scaling: one worker, two, and all cores", lines, figures or {},
                   [goal(figures)])
