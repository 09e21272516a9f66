# A verb at a terminal: what it is shown, in which width, what is typed, and how it ends.

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from harness.gateway import binary
from harness.waiting import PATIENCE


class Screen:
    """What a terminal was sent by a verb until it ended."""

    def __init__(self, arguments, folder, environment, typed=None, columns=80, interrupt=None):
        side, terminal = pty.openpty()
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
        clean = {name: value for name, value in os.environ.items()
                 if name not in ("NO_COLOR", "PENSTOCK_TOKEN", "COLUMNS")}
        # No fork of ours: this process has threads.
        process = subprocess.Popen(
            [binary("penstock"), *arguments], cwd=folder, stdin=terminal, stdout=terminal,
            stderr=terminal, env={**clean, **environment, "TERM": "xterm"})
        os.close(terminal)
        self.text = ""
        deadline = time.monotonic() + PATIENCE * 3
        while time.monotonic() < deadline and self._read(side):
            if typed and "Type its name" in self.text:
                os.write(side, f"{typed}\n".encode())
                typed = None
            if interrupt and interrupt in self.text:
                process.send_signal(signal.SIGINT)
                interrupt = None
        try:
            self.code = process.wait(PATIENCE)
        finally:
            process.kill()
            os.close(side)

    def _read(self, side):
        if not select.select([side], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(side, 65536)
        except OSError:
            return False  # Linux says so when the other side is gone.
        self.text += data.decode(errors="replace")
        return bool(data)
