"""The long version of the fuzzing in `input`; run by `scripts/soak -k fuzzing`."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from support.deadline import eventually
from support.fuzzing import Fuzzer
from support.process import descriptors, resident_bytes

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
SEED = int(os.environ.get("SOAK_SEED") or random.randrange(2**32))
FUZZERS = 6
# What caches and tables may take until they are full; a leak of one byte a request shows within minutes.
MAXIMUM_GROWTH = 48 << 20


def test_fuzzing_ends_no_instance(make_fleet):
    """Both instances of a fleet live through it, and their memory is flat once it is warm."""
    fleet = make_fleet({"MAX_CONNECTIONS_PER_USER": "0"})
    print(f"\nSOAK_SEED={SEED}")
    pids = [server.pid for server in fleet.servers]
    held = [descriptors(pid) for pid in pids]
    end = time.monotonic() + MINUTES * 60
    warm = time.monotonic() + MINUTES * 60 / 5

    def fuzz(number: int) -> int:
        fuzzer = Fuzzer(fleet.servers[number % len(fleet.servers)].port, SEED + number)
        attacks = 0
        while time.monotonic() < end:
            fuzzer.attack()
            attacks += 1
        return attacks

    resident: list[list[int]] = []
    with ThreadPoolExecutor(FUZZERS) as pool:
        fuzzers = [pool.submit(fuzz, number) for number in range(FUZZERS)]
        while not all(fuzzer.done() for fuzzer in fuzzers):
            time.sleep(min(5, MINUTES * 2))
            for server in fleet.servers:
                assert server.get("/health").status_code == 200
            if time.monotonic() >= warm:
                resident.append([resident_bytes(pid) for pid in pids])
        print(f"{sum(fuzzer.result() for fuzzer in fuzzers)} connections")
    for pid, first, last in zip(pids, resident[0], resident[-1]):
        print(f"resident {first >> 20} MiB warm, {last >> 20} MiB at the end")
        assert last - first < MAXIMUM_GROWTH
    assert [server.pid for server in fleet.servers] == pids
    for pid, before in zip(pids, held):
        eventually(lambda: descriptors(pid) <= before + 8, "connections are let go", 60)
