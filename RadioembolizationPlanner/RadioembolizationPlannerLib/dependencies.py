"""Python packages that Slicer does not bring: found, asked for, installed when first needed."""

from __future__ import annotations

import re
import tempfile
from importlib import metadata
from pathlib import Path
from types import ModuleType

from radioembolization.errors import MissingPackage

#: Packages of Slicer itself that an installation must leave as they are.
_HELD = ("numpy", "scipy")


def missing_packages(requirements: Path) -> list[str]:
    """Return the requirements, one a line of a file, whose package is not installed in any version."""
    lines = [line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and _version(re.split(r"[^\w.-]", line)[0]) is None]


def ensure_packages(requirements: Path, feature: str) -> None:
    """Install what is missing or too old after asking the user; NumPy and SciPy stay as they are.

    Parameters
    ----------
    requirements : Path
        Requirements file.
    feature : str
        What needs the packages, for the question and the error.

    Raises
    ------
    MissingPackage
        If packages are missing and this Slicer cannot install them, the user declines, or the
        installation is skipped (as it is while Slicer runs tests).
    """
    try:
        from slicer import packaging
    except ImportError:
        packaging = None  # before Slicer 5.12
    reason = "install them in Slicer's Python console with slicer.util.pip_install"
    if packaging is not None:
        reason = _asked_for(packaging, requirements, feature)
    missing = missing_packages(requirements)
    if missing:
        raise MissingPackage(f"{feature} needs the Python packages {', '.join(missing)}: {reason}.")


def _asked_for(packaging: ModuleType, requirements: Path, feature: str) -> str:
    """Let Slicer ask and install; return what to do should something still be missing."""
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "constraints.txt"
        held.write_text("".join(f"{name}=={_version(name)}\n" for name in _HELD if _version(name)), encoding="utf-8")
        try:
            packaging.pip_ensure(
                packaging.load_requirements(str(requirements)), constraints=str(held), requester=feature
            )
        except RuntimeError as error:
            return f"{error}; start again and agree to the installation"
    return "Slicer did not install them (it installs nothing while testing)"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
