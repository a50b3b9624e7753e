"""Identity of a posting: 16 characters that fit an ERP's reference field, and a hash of what it says."""

import hashlib

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NAMESPACE = "lineledger"


def posting_id(plant: str, account: str, born_epoch: int, sequence: int, revision: int = 0) -> str:
    """Crockford base32 of the first 80 bits of SHA-256: the same posting has the same id on every machine."""
    text = "\n".join((NAMESPACE, plant, account, str(born_epoch), str(sequence), str(revision)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:10], "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(75, -1, -5))


def content_hash(*parts: object) -> str:
    """SHA-256 of what must never change under a posting id; 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
