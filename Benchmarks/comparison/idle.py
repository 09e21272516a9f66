# Memory of a connection that waits for its next request.

import socket

from .report import Goal, Section, table

WANTED = 10_000
# The client's side takes a descriptor, too; a few more are for everything else.
DESCRIPTORS = 2 * WANTED + 1000
PEERS = ["penstock", "nginx", "haproxy", "envoy"]


def measure(peer, count):
    """KiB of the proxy's memory per idle keep-alive connection that has served a request."""
    before = peer.resident_kib()
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", peer.port), 5)
            clients.append(client)
            client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                return None
        return (peer.resident_kib() - before) / count
    except OSError:
        return None
    finally:
        for client in clients:
            client.close()


def run(rig, options, name):
    count = min(WANTED, options.descriptors // 2 - 200)
    figures = {}
    for peer_name, peer in rig.peers(PEERS).items():
        figures[peer_name] = measure(peer, count)
        if figures[peer_name] is None:
            rig.void(name, peer_name, f"not all of {count} connections were served")
    rows = [[peer, "-" if value is None else f"{value:.2f}"] for peer, value in figures.items()]
    lines = [f"{count} connections that have had one answer each, proportional memory.", ""]
    if count < WANTED:
        lines[:1] = [lines[0] + f" The descriptor limit of {options.descriptors} allows no more."]
    return Section("idle: memory of connections", lines + table(["proxy", "KiB each"], rows),
                   {"connections": count, "kib_each": figures},
                   [Goal(name, f"memory of each of {count} connections", 0.6,
                         figures.get("penstock"), unit=" KiB")])
