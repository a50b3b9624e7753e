"""Which partition a key goes to: murmur2, as every producer of an installation is set (Kafka's own default)."""

_MASK = 0xFFFFFFFF
_MIX, _SHIFT = 0x5BD1E995, 24
_SEED = 0x9747B28C


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, 0 .. `partitions` - 1."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    length = len(data)
    hashed = (_SEED ^ length) & _MASK
    whole = length & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * _MIX & _MASK
        part = (part ^ part >> _SHIFT) * _MIX & _MASK
        hashed = hashed * _MIX & _MASK ^ part
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MIX & _MASK
    hashed = (hashed ^ hashed >> 13) * _MIX & _MASK
    return hashed ^ hashed >> 15
