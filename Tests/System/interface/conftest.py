from support.shared import room, shared

__all__ = ["room", "shared"]
