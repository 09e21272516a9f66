# Random clients against random replicas over either protocol on both sides: whatever becomes of a
# request, nobody sees a byte of another, nothing that broke off looks whole, what had no fault
# arrives, and at rest nothing is left. `PENSTOCK_DUEL_SEED` and `PENSTOCK_DUEL_ROUNDS` make more.

import os
import random
import threading

import pytest

from harness.configuration import revision, service
from harness.duel import Referee
from harness.duel_clients import PlainRival, StreamRival
from harness.duel_replicas import PlainReplica, StreamReplica

pytestmark = pytest.mark.core

RIVALS = 12
REQUESTS = 40


def services(plain, framed, calm):
    more = {"retry": {"attempts": 2}, "ejection": {"failures": 0}}
    if not calm:
        more["hedge"] = {"after": "5ms", "budget": "50%"}
        more["retry"] = {"attempts": 3, "idempotent": True}
        # A replica that has said goodbye may have nothing more to say.
        more["timeouts"] = {"first_byte": "4s", "stream_idle": "4s"}
    return [
        service(name="h1", routes=[{"path": "/h1"}], revisions=[
            revision("stable", 100, *plain)], **more),
        service(name="h2", routes=[{"path": "/h2"}], revisions=[
            {**revision("stable", 100, *framed), "protocol": "h2"}], **more)]


def fight(gateway, referee, seed):
    dice = random.Random(seed)
    numbers = iter(range(1, RIVALS * REQUESTS + 1))
    threads = []
    for index in range(RIVALS):
        own = [next(numbers) for _ in range(REQUESTS)]
        kind = dice.choice([PlainRival, StreamRival, StreamRival])
        rival = kind(gateway.address, referee, own, f"{seed}-{index}")
        threads.append(threading.Thread(target=rival.run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("calm", [True, False], ids=["calm", "wild"])
def test_nobody_is_told_what_is_not_so(start_gateway, calm):
    first = int(os.environ.get("PENSTOCK_DUEL_SEED") or random.randrange(1_000_000))
    for seed in range(first, first + int(os.environ.get("PENSTOCK_DUEL_ROUNDS") or 1)):
        print("PENSTOCK_DUEL_SEED", seed)
        referee = Referee(seed, calm)
        dice = random.Random(seed)
        plain = [PlainReplica(referee) for _ in range(2)]
        framed = [StreamReplica(referee, dice) for _ in range(2)]
        gateway = start_gateway(*services(plain, framed, calm))
        fight(gateway, referee, seed)
        assert not referee.broken, referee.broken[:5]
        gateway.settle()
        assert gateway.admin.metrics().sum("penstock_requests_pending") == 0
        assert not any("no progress" in line for line in gateway.log.all)
        for replica in plain + framed:
            replica.stop()
        gateway.stop()
