"""The checker, short: three instances, every server, a fault every few seconds, and each promise judged at the end."""

from chaos.__main__ import run_seed
from chaos.plan import Size

# One fault of each resource, each for a second or two; the long runs have the others (`scripts/soak --chaos`).
SEED = 163
SIZE = Size(
    seconds=16,
    clients=12,
    rooms=4,
    rate=10,
    fault_gap=(1, 2.5),
    fault_scale=0.25,
    kinds=(
        "kill_instance", "pause_instance", "lose_publications", "delay_publications", "cut_off_from_redis",
        "flush_redis", "kill_redis", "pause_broker", "lose_store_answers", "pause_mongo",
    ),
)  # fmt: skip


def test_promises_hold_through_faults(tmp_path):
    violations = run_seed(SEED, SIZE, tmp_path / "run", keep=True)
    assert not violations, (tmp_path / "run" / "report.txt").read_text()
