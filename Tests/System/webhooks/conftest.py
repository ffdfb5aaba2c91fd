from support.webhooks import make_receiver, make_sender, receiver

__all__ = ["make_receiver", "make_sender", "receiver"]
