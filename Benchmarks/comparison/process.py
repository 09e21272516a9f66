# A program under test or beside it: started on given cores, asked for its CPU time and memory, and
# ended by its process id.

import atexit
import os
import pathlib
import resource
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit(wanted):
    """As many descriptors as the system lets this process and its children have, up to a number."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(wanted, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


SESSION = pathlib.Path("/proc/self/autogroup")


def raise_priority():
    """Before the neighbours, for this process and its children; False where that is not allowed.
    Where sessions share the cores, a process is only as important as its session: that is raised
    as well, until the end."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
        if SESSION.exists():
            before = SESSION.read_text().rsplit(maxsplit=1)[-1]
            SESSION.write_text("-15")
            atexit.register(SESSION.write_text, before)
        return True
    except OSError:
        return False


def pinned(command, cores):
    """The command, on these cores only; None lets the system choose."""
    return command if not cores else ["taskset", "-c", ",".join(map(str, cores))] + command


class Process:
    def __init__(self, name, command, folder, port, cores=None):
        self.name, self.port = name, port
        self.output = pathlib.Path(folder) / "output"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(pinned(command, cores), stdout=output, stderr=output)

    def await_answer(self, listens_only=False):
        """Until it answers a request with 200; one that speaks no HTTP/1.1 has just to listen."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as client:
                    if listens_only:
                        return self
                    client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    if client.recv(64).startswith(b"HTTP/1.1 200"):
                        return self
            except OSError:
                pass
            time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        raise SystemExit(f"{self.name} does not serve:\n{self.output.read_text()}")

    def processes(self):
        """The process and its children (nginx's worker)."""
        found = [self.process.pid]
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                found.append(int(entry.parent.name))
        return found

    def run_in_real_time(self, is_wanted):
        """Before every usual program of its cores, or no longer; False where it may not."""
        policy, priority = (os.SCHED_FIFO, 1) if is_wanted else (os.SCHED_OTHER, 0)
        try:
            for process in self.processes():
                for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
                    os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))
            return True
        except OSError:
            return False

    def cpu_seconds(self):
        """User and system time of all its threads so far, to the nanosecond."""
        return self.scheduled(0)

    def waited_seconds(self):
        """How long its threads were ready to run and another program had the core."""
        return self.scheduled(1)

    def scheduled(self, field):
        total = 0.0
        for process in self.processes():
            for schedule in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
                total += int(schedule.read_text().split()[field]) / 1e9
        return total

    def resident_kib(self):
        """Proportional memory: what it shares with others counts in part."""
        total = 0
        for process in self.processes():
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
