"""Keys, and tokens signed by them in every way, and unsigned ones."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a-secret-of-the-test-suite-that-has-more-than-64-bytes-as-HS512-asks-for-0123456789"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token put together by hand."""
    return ".".join([b64(json.dumps(header).encode()), b64(json.dumps(payload).encode()), b64(signature)])


def hmac_signed(header: Any, payload: Any, key: bytes, digest=hashlib.sha256) -> str:
    unsigned = compact(header, payload).rsplit(".", 1)[0]
    return f"{unsigned}.{b64(hmac.new(key, unsigned.encode(), digest).digest())}"


def claims(user: str = "alice", seconds: float = 3600, **more: Any) -> dict[str, Any]:
    return {"sub": user, "exp": int(time.time() + seconds), **more}


def pem(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


def public_jwk(key, **members: str) -> dict[str, str]:
    """The public half of a key as RFC 7517 writes it."""
    number = key.public_key().public_numbers() if not isinstance(key, ed25519.Ed25519PrivateKey) else None
    if isinstance(key, rsa.RSAPrivateKey):
        parameters = {"kty": "RSA", "n": b64(number.n.to_bytes(256, "big")), "e": b64(number.e.to_bytes(3, "big"))}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        parameters = {"kty": "EC", "crv": "P-256", "x": b64(number.x.to_bytes(32, "big")),
                      "y": b64(number.y.to_bytes(32, "big"))}  # fmt: skip
    else:
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        parameters = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    return parameters | members


@dataclass
class Keys:
    """One private key of every family."""

    rsa: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ec: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    ed: Any = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    def of(self, algorithm: str):
        match algorithm[:2]:
            case "HS":
                return SECRET
            case "RS" | "PS":
                return self.rsa
            case "ES":
                return self.ec
            case _:
                return self.ed

    def sign(self, algorithm: str, payload: dict[str, Any], kid: str | None = None, **header: Any) -> str:
        if kid is not None:
            header["kid"] = kid
        return jwt.encode(payload, self.of(algorithm), algorithm, headers=header or None)

    @staticmethod
    def sign_with(secret: str, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, secret, "HS256")

    def write_jwks(self, path: Path) -> Path:
        keys = [public_jwk(key, kid=kid, use="sig") for key, kid in [(self.rsa, "r"), (self.ec, "e"), (self.ed, "d")]]
        path.write_text(json.dumps({"keys": keys}))
        return path
