"""A cache of computed kernels on disk, by content: same inputs and same code, same file."""

from __future__ import annotations

import hashlib
import inspect
import io
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

#: Environment variable with the folder of the cache; ``off`` keeps nothing on disk.
FOLDER_VARIABLE = "RADIOEMBOLIZATION_CACHE"
#: Every file begins with the SHA-256 of the rest, so that damage anywhere is noticed.
_DIGEST_NBYTES = 32
_LOG = logging.getLogger(__name__)


def cache_folder() -> Path | None:
    """Return the folder of the cache, or None if it is switched off.

    The variable ``RADIOEMBOLIZATION_CACHE``, else the platform's folder for caches of the user.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return None if chosen.lower() == "off" else Path(chosen)
    try:
        return _folder_of_the_user()
    except RuntimeError:  # the user has no home
        return None


def _folder_of_the_user() -> Path:
    name = "radioembolization-planner"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / name / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / name
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / name


def content_key(computation: Callable[..., object], *inputs: object) -> str:
    """Return a hash of the inputs of a computation and of the source of its module's package.

    Parameters
    ----------
    computation : function
        All files of its folder count, so that a changed quadrature never meets an old result.
    inputs
        Numbers, strings, tuples of them, and arrays.
    """
    digest = hashlib.sha256(_source_hash(Path(inspect.getfile(computation)).parent))
    for value in inputs:
        digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def cached_array(key: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the array kept under a key, or compute and keep it.

    A cache that cannot be read or written is no error: the array is computed.
    """
    folder = cache_folder()
    if folder is None:
        return compute()
    path = folder / f"{key}.kernel"
    try:
        content = path.read_bytes()
        data = content[_DIGEST_NBYTES:]
        if hashlib.sha256(data).digest() == content[:_DIGEST_NBYTES]:
            return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
        _LOG.warning("Kernel cache: %s is damaged and is computed anew.", path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        _LOG.warning("Kernel cache: %s cannot be read and is computed anew.", path)
    array = compute()
    _keep(array, path)
    return array


def _keep(array: np.ndarray, path: Path) -> None:
    """Write an array so that it appears complete or not at all, also beside other processes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
            temporary, buffer = Path(folder) / path.name, io.BytesIO()
            np.save(buffer, array)
            data = buffer.getvalue()
            temporary.write_bytes(hashlib.sha256(data).digest() + data)
            os.replace(temporary, path)
    except OSError as error:
        _LOG.info("Kernel cache: %s cannot be written (%s).", path, error)


def _source_hash(folder: Path) -> bytes:
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.digest()
