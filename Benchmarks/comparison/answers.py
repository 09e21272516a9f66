# Whether a proxy passes on what it should: before a scenario is measured, its answer is compared
# byte by byte through every peer, and uploads by the length and checksum that the replica saw.

import http.client
import random
import ssl

LARGE = 1 << 20
EVENT = b'data: {"token":"abcdefghijklmnopqrstuvwxyz0123456789abcdefghi"}\n\n'


def large_body():
    return bytes((i * 31 + (i >> 8) * 7) & 0xFF for i in range(LARGE))


def unverified():
    """TLS to a certificate that the bench has made itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def checksum(body):
    """FNV-1a of 64 bits, as in programs/backend.c."""
    value = 0xCBF29CE484222325
    for byte in body:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def random_body(size):
    """The same in every run, and no part of it like another."""
    return random.Random(size).randbytes(size)


class Expected:
    """A request, and the body its answer must have."""

    def __init__(self, path, answer, body=None, headers=()):
        self.path, self.answer, self.body, self.headers = path, answer, body, dict(headers)

    def fault(self, port, is_sealed=False):
        """What is wrong with the answer through that port; None if nothing is."""
        if is_sealed:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=20, context=unverified())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            method = "GET" if self.body is None else "POST"
            connection.request(method, self.path, self.body, self.headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"no whole answer: {error!r}"
        finally:
            connection.close()
        if answer.status != 200:
            return f"status {answer.status}"
        if body != self.answer:
            return f"{len(body)} bytes, not the {len(self.answer)} that were sent"
        return None


def upload(size):
    body = random_body(size)
    return Expected("/check", b"%d %016x\n" % (size, checksum(body)), body)
