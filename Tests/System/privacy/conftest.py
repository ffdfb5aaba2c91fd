from support.shared import room, wire

__all__ = ["room", "wire"]
