"""Thousands of broken requests, frames and packets: the server serves the bystander all the while and keeps nothing of them."""

import pytest

from support.fuzzing import Fuzzer

ENVIRONMENT = {"MAX_CONNECTIONS_PER_USER": "0"}


@pytest.mark.parametrize("seed", range(4))
def test_broken_input_ends_nothing_but_its_connection(shared, bystander, seed):
    fuzzer = Fuzzer(shared.port, seed)
    for _ in range(300):
        fuzzer.attack()
    assert shared.get("/health").status_code == 200
