# Balancing with real processes: four replicas of eight slots, one of them half as fast, behind each
# proxy its own; work drawn from a log-normal distribution, arrivals of a Poisson process, the same
# for everybody. All run at the same time, since nothing here needs much CPU; what a neighbour
# costs, it costs everybody.

import json
import statistics
import subprocess

from . import peers
from .process import free_port
from .report import Goal, Section, table

SLOTS = 8
SLOWNESS = [1, 1, 1, 2]
# Mean work in microseconds, and its sigma: a coefficient of variation of 0.5.
WORK, SIGMA = 20_000, 0.472
LOAD = 0.6
# At 60 % load: 840 requests a second, 24 slots' worth of work in flight on average.
RATE = LOAD * sum(SLOTS / (WORK * 1e-6 * slowness) for slowness in SLOWNESS)
CONNECTIONS = 512
# Of each round: the 99th percentile then stands on 130 requests.
SECONDS, WARM_UP = 18, 3
GOAL = 0.97

PENSTOCK = """
gateway: {{ listeners: [{{ address: "127.0.0.1:{port}" }}], workers: 1 }}
admin: {{ listen: "127.0.0.1:{admin}" }}
state: {folder}/state
services:
  - name: bench
    routes: [{{ path: / }}]
    balancing: {{ algorithm: {policy} }}
    health: {{ type: http, path: /, interval: 5s }}
    revisions: [{{ name: stable, weight: 100, endpoints: [{endpoints}] }}]
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream replicas {{ least_conn; {endpoints} keepalive 256;
    keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://replicas; proxy_http_version 1.1;
      proxy_set_header Connection ""; }} }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  default_backend replicas
backend replicas
  balance leastconn
{endpoints}
"""

# Name: configuration, endpoint's text, what joins them, policy. HAProxy and Penstock are told the
# slots and hold what is too much; the others have no such queue.
HELD = '{{ address: "127.0.0.1:{}", concurrency: 8 }}'
WAYS = {
    "penstock least_latency": (PENSTOCK, HELD, ", ", "least_latency"),
    "penstock least_connections": (PENSTOCK, HELD, ", ", "least_connections"),
    "penstock random_two_choices": (PENSTOCK, HELD, ", ", "random_two_choices"),
    "haproxy leastconn, maxconn 8":
        (HAPROXY, "  server s{0} 127.0.0.1:{0} check maxconn 8", "\n", ""),
    "nginx least_conn": (NGINX, "server 127.0.0.1:{};", " ", ""),
    "envoy LEAST_REQUEST": (peers.ENVOY, peers.ENVOY_ENDPOINT, ", ", "LEAST_REQUEST"),
}


def start_way(rig, way):
    """The proxy and its replicas."""
    text, endpoint, join, policy = WAYS[way]
    replicas = []
    for slowness in SLOWNESS:
        port = free_port()
        replicas.append(rig.start(
            "replica", [rig.program("replica"), port, SLOTS, slowness], port, None))
    proxy = peers.start_configured(
        rig, way.split()[0], text, None, policy=policy,
        endpoints=join.join(endpoint.format(replica.port) for replica in replicas))
    return proxy, replicas


def generate(rig, proxy, seed, seconds):
    command = [rig.program("openloop"), proxy.port, RATE, seconds, WARM_UP, CONNECTIONS,
               "--poisson", seed, "--work", WORK, SIGMA]
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)


def rounds(rig, options, running):
    figures = {way: [] for way in running}
    for seed in range(1, options.fleet_rounds + 1):
        started = {way: generate(rig, proxy, seed, SECONDS)
                   for way, (proxy, _) in running.items()}
        for way, generator in started.items():
            text = generator.communicate()[0]
            figure = json.loads(text) if generator.returncode == 0 else {"failed": "all"}
            if figure["failed"]:
                rig.void("balancing", way, f"{figure['failed']} requests failed")
                figures.pop(way, None)
            elif way in figures:
                figures[way].append(figure)
    return figures


def run(rig, options, name):
    ways = [way for way in WAYS if not way.startswith("envoy") or peers.envoy_program()]
    running = {way: start_way(rig, way) for way in ways}
    figures = rounds(rig, options, running)
    for proxy, replicas in running.values():
        for process in [proxy, *replicas]:
            rig.stop(process)
    medians = {way: {key: statistics.median(one[key] for one in values) / 1000
                     for key in ("mean", "p50", "p90", "p99", "p999")}
               for way, values in figures.items()}
    rows = [[way, *(f"{value:.1f}" for value in row.values())] for way, row in medians.items()]
    lines = [f"{RATE:.0f} requests a second for {SECONDS} s, {options.fleet_rounds} rounds with "
             f"seeds of their own, mean work {WORK / 1000:.0f} ms; latency in milliseconds.", "",
             *table(["way", "mean", "p50", "p90", "p99", "p99.9"], rows)]
    return Section("balancing: four replicas, one half as fast", lines,
                   {"rate": RATE, "rounds": figures}, [goal(figures)])


def goal(figures):
    ours = figures.get("penstock least_latency")
    others = {way: values for way, values in figures.items() if not way.startswith("penstock")}
    best = min(others, key=lambda way: statistics.median(one["p99"] for one in others[way]),
               default=None)
    measured = None
    if ours and best:
        measured = statistics.median(a["p99"] / b["p99"] for a, b in zip(ours, others[best]))
    return Goal("balancing", f"p99 of least_latency over the best ({best})", GOAL, measured)
