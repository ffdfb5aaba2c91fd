from support.shared import room, shared, wire

__all__ = ["room", "shared", "wire"]
