"""The checker of `scripts/soak --chaos`: clients over three instances, seeded faults, and a judge of every promise."""
