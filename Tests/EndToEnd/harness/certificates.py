# Certificates made on the spot with the openssl program: their own issuer, or issued by another.

import pathlib
import secrets
import subprocess
from dataclasses import dataclass


@dataclass
class Certificate:
    certificate: str
    key: str


def make(folder, name, host="gateway.test", issuer=None):
    """A key and a certificate for `host`, good for a day."""
    place = pathlib.Path(folder)
    made = Certificate(str(place / f"{name}.pem"), str(place / f"{name}.key"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "1", "-subj", f"/CN={host}", "-keyout", made.key,
               "-out", made.certificate, "-addext", f"subjectAltName=DNS:{host}"]
    if issuer:
        command += ["-CA", issuer.certificate, "-CAkey", issuer.key,
                    "-addext", "basicConstraints=critical,CA:FALSE"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    if issuer:  # The chain, leaf first.
        with open(made.certificate, "a") as chain, open(issuer.certificate) as above:
            chain.write(above.read())
    return made


def make_authority(folder, name):
    """An issuer of its own."""
    return make(folder, name, host=f"{name}.authority")


def make_certificate(folder, host, authority, into=None):
    """A certificate for `host`, under an authority or its own; `into` is one to be replaced."""
    made = make(folder, f"{host.replace('*', 'any')}-{secrets.token_hex(4)}", host, authority)
    if into is None:
        return made
    for fresh, old in ((made.certificate, into.certificate), (made.key, into.key)):
        pathlib.Path(fresh).replace(old)
    return into
