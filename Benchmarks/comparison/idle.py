# Memory of a connection that waits for its next request, in the clear and with TLS.

import socket

from . import fronts
from .answers import unverified
from .report import Goal, Section, table

WANTED = 10_000
# The client's side takes a descriptor, too; a few more are for everything else.
DESCRIPTORS = 2 * WANTED + 1000
PEERS = ["penstock", "nginx", "haproxy", "envoy"]


def connect(port, context):
    client = socket.create_connection(("127.0.0.1", port), 5)
    # Else a request right behind a handshake waits for a delayed acknowledgement.
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(client) if context else client


def measure(peer, count, port, context=None):
    """KiB of the proxy's memory per idle keep-alive connection that has served a request."""
    # The first connections of all cost what is made once.
    for _ in range(8):
        connect(port, context).close()
    before = peer.resident_kib()
    clients = []
    try:
        for _ in range(count):
            client = connect(port, context)
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


def measure_all(rig, name, running, count, is_sealed):
    figures = {}
    for peer_name, peer in running.items():
        port, context = (peer.tls_port, unverified()) if is_sealed else (peer.port, None)
        figures[peer_name] = measure(peer, count, port, context)
        if figures[peer_name] is None:
            rig.void(name, peer_name, f"not all of {count} connections were served")
    return figures


def goal(name, count, figures, is_sealed):
    ours = figures.get("penstock")
    if not is_sealed:
        return Goal(name, f"memory of each of {count} connections", 0.6, ours, unit=" KiB")
    others = {peer: value for peer, value in figures.items() if value and peer != "penstock"}
    best = min(others, key=others.get, default=None)
    measured = ours / others[best] if ours and best else None
    return Goal(name, f"memory over the best ({best})", 1.0, measured)


def run(rig, options, name):
    count = min(WANTED, options.descriptors // 2 - 200)
    is_sealed = name == "idle-tls"
    if is_sealed:
        # Anew: what earlier scenarios have freed would be used again, and not be counted.
        fronts.leave(rig, "http/1.1")
        running = fronts.standing(rig, [*PEERS, "nghttpx"], "http/1.1")
    else:
        running = rig.peers(PEERS)
    figures = measure_all(rig, name, running, count, is_sealed)
    rows = [[peer, "-" if value is None else f"{value:.2f}"] for peer, value in figures.items()]
    lines = [f"{count} connections that have had one answer each, proportional memory.", ""]
    if count < WANTED:
        lines[:1] = [lines[0] + f" The descriptor limit of {options.descriptors} allows no more."]
    title = "memory of connections" + (" with TLS" if is_sealed else "")
    return Section(f"{name}: {title}", lines + table(["proxy", "KiB each"], rows),
                   {"connections": count, "kib_each": figures},
                   [goal(name, count, figures, is_sealed)])
