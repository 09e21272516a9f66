# What the kernel says about a process: memory, processor time, descriptors, children. And a process
# that this one has not started, but inherits when its parent ends.

import ctypes
import os
import signal

from harness.waiting import until

_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """Orphans of what this process has started become its children: their ends are seen."""
    assert ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class Heir:
    """A grandchild, to be used like a `subprocess.Popen`."""

    # It ended before its parent, and how is the parent's secret.
    UNTOLD = -signal.SIGCHLD

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            try:
                found, status = os.waitpid(self.pid, os.WNOHANG)
                if found:
                    self.returncode = os.waitstatus_to_exitcode(status)
            except ChildProcessError:
                # Its parent still lives, or has reaped it.
                if not is_alive(self.pid):
                    self.returncode = self.UNTOLD
        return self.returncode

    def wait(self):
        until(lambda: self.poll() is not None, f"{self.pid} ends")
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def resident_bytes(pid):
    """What the process itself has in memory; pages of its program's file come and go."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return sum(int(fields[kind].split()[0]) for kind in ("RssAnon", "RssShmem")) * 1024


def processor_seconds(pid):
    """User and system time of the whole process."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def session_members(session):
    """Live processes of a session, zombies aside."""
    return [pid for pid, fields in living() if int(fields[3]) == session]


def children(pid):
    """Live direct children."""
    return [child for child, fields in living() if int(fields[1]) == pid]


def living():
    """Each live process with the fields of its stat from the state on, zombies aside."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rsplit(") ", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] not in "ZX":
            yield int(name), fields


def with_variable(name, beginning):
    """Live processes in whose environment a variable begins so, whoever their parent is."""
    wanted, found = f"{name}={beginning}".encode(), []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/environ", "rb") as environment:
                variables = environment.read().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if any(variable.startswith(wanted) for variable in variables) and is_alive(int(number)):
            found.append(int(number))
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(") ", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def running_in(folder, program):
    """Live processes of a program whose working directory is the folder, zombies aside."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as arguments:
                first = arguments.read().split(b"\0")[0]
            if os.path.basename(first).decode() != program:
                continue
            if os.readlink(f"/proc/{name}/cwd") == str(folder) and is_alive(int(name)):
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
