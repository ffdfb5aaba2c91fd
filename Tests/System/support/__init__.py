"""What system tests share: a server to drive, and clients that speak its wire protocol."""
