from support.fleet import fleet, make_fleet
from support.shared import room, shared, wire

__all__ = ["fleet", "make_fleet", "room", "shared", "wire"]
