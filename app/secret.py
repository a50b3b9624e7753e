"""Secrets by their names: the configuration names them, the environment of the process has them."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.configuration import PlantConfig
from streams.mapping.private_paths import maps_private
from tables.refusal import RefusedValue

PRIVATE_KEY = "lineledger-private-key"
"""Secret that keys the hashes of private values where plant.yaml names no other one."""
MIN_KEY_BITS = 128
MIN_KEY_SIGNS = 8
"""Different signs of a key: fewer are a pattern, not chance."""
MAX_SECRET_BYTES = 4096
MAX_FORMER_SECRETS = 16
"""Former values of a secret that are kept hidden: an ERP may repeat what it was sent."""
_TENTH_BITS = ((re.compile(r"[0-9]*"), 33), (re.compile(r"[0-9a-fA-F]*"), 40))
"""Tenths of a bit that one sign has at most."""
_OTHER_TENTH_BITS = 60


def variable_of(name: str) -> str:
    """Environment variable of a secret: erp-brn1 is ERP_BRN1."""
    return re.sub(r"[-.]", "_", name).upper()


def read_secret(name: str, environ: Mapping[str, str]) -> str | None:
    """The secret in its environment variable, or in the file that the variable with `_FILE` behind it names. None: neither is
    set. Raises Refusal SECRET_MISSING for a file that cannot be read."""
    variable = variable_of(name)
    if variable in environ:
        return environ[variable]
    file = environ.get(f"{variable}_FILE")
    if file is None:
        return None
    try:
        with Path(file).open("rb") as content:
            return content.read(MAX_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise RefusedValue(
            "SECRET_MISSING", f"the file that {variable}_FILE names cannot be read ({type(wrong).__name__})"
        ) from None


class SecretInUse:
    """A secret while the process runs: its file may get another content. One in the environment stays as it is."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        """Raises Refusal SECRET_MISSING for a file that cannot be read."""
        self._name, self._environ = name, environ
        self._file = "" if not name or variable_of(name) in environ else environ.get(f"{variable_of(name)}_FILE", "")
        self._stamp = self._stamp_of_file()
        first = read_secret(name, environ) if name else None
        self.known: tuple[str, ...] = () if first is None else (first,)
        """Every value that was in use, the present one last."""

    def current(self) -> str | None:
        """None: it is not set. While the file is away, or is being replaced, what was in use stays in use."""
        stamp = self._stamp_of_file()
        if stamp is not None and stamp != self._stamp:
            with contextlib.suppress(RefusedValue):
                found = read_secret(self._name, self._environ)
                if found and found not in self.known[-1:]:
                    self.known = (*(one for one in self.known[-MAX_FORMER_SECRETS:] if one != found), found)
                self._stamp = stamp
        return self.known[-1] if self.known else None

    def values(self) -> tuple[str, ...]:
        """The present one and former ones: none of them may be shown."""
        self.current()
        return self.known

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        try:
            found = Path(self._file).stat() if self._file else None
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_ino, found.st_size)


def revealed(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Variable -> secret of each name that is set, in the environment or in a file: what logs must never show."""
    found = {variable_of(name): read_secret(name, environ) for name in names if name}
    return {variable: secret for variable, secret in found.items() if secret is not None}


def private_key(plant: PlantConfig | None, environ: Mapping[str, str]) -> bytes:
    """The key of the plant's private values; empty: none is set, so hashes are keyed with the plant's id, which anyone can guess.
    Raises Refusal PRIVATE_KEY_WEAK, SECRET_MISSING."""
    name = (plant.private_key if plant is not None else "") or PRIVATE_KEY
    key = read_secret(name, environ) or ""
    if key and not is_strong(key):
        detail = (
            f"secret `{name}` has less than {MIN_KEY_BITS} bits: a badge number would be guessed from its hash. "
            "Take `openssl rand -hex 32`"
        )
        raise RefusedValue("PRIVATE_KEY_WEAK", detail)
    return key.encode()


def live_private_key(plant: PlantConfig, environ: Mapping[str, str]) -> bytes:
    """As `private_key`, for what writes to a lasting Kafka. Raises Refusal PRIVATE_KEY_MISSING, too: the plant maps private
    values and nothing keys their hashes."""
    key = private_key(plant, environ)
    if not key and maps_private(plant):
        name = plant.private_key or PRIVATE_KEY
        detail = (
            f"plant {plant.plant.id} maps private values; set secret `{name}` ({variable_of(name)}, or {variable_of(name)}_FILE)"
        )
        raise RefusedValue("PRIVATE_KEY_MISSING", detail)
    return key


def is_strong(key: str) -> bool:
    """May the key have as many bits as it needs? Chance cannot be measured: length and different signs can."""
    tenths = next((tenths for signs, tenths in _TENTH_BITS if signs.fullmatch(key)), _OTHER_TENTH_BITS)
    return len(key) * tenths >= MIN_KEY_BITS * 10 and len(set(key)) >= MIN_KEY_SIGNS
