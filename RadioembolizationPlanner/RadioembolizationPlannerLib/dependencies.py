"""Python packages that Slicer does not bring: found, asked for, installed when first needed."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from radioembolization.errors import MissingPackage

#: Packages of Slicer itself that an installation must leave as they are.
_HELD = ("numpy", "scipy")
#: What optimizing imports.
_SOLVER = ("cvxpy", "highspy")
_BY_HAND = "install them in Slicer's Python console with slicer.util.pip_install"
_NOT_WHILE_TESTING = f"Slicer installs nothing while testing; {_BY_HAND}"


def missing_packages(requirements: Path) -> list[str]:
    """Return the requirements, one a line of a file, whose package is not installed in any version."""
    lines = [line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and _version(re.split(r"[^\w.-]", line)[0]) is None]


def solver_available() -> bool:
    """Whether what plans are optimized with is installed, without importing it."""
    return all(_importable(name) for name in _SOLVER)


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
        If packages are missing and the user declines, the installation fails or it is skipped (as it is
        while Slicer runs tests).
    """
    reason = _asked_for(requirements, feature)
    importlib.invalidate_caches()
    missing = missing_packages(requirements)
    if missing:
        raise MissingPackage(f"{feature} needs the Python packages {', '.join(missing)}: {reason}.")


def _asked_for(requirements: Path, feature: str) -> str:
    """Let Slicer ask and install; return what to do should something still be missing."""
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "constraints.txt"
        held.write_text("".join(f"{name}=={_version(name)}\n" for name in _HELD if _version(name)), encoding="utf-8")
        try:
            return _installed(requirements, held, feature)
        except ImportError:
            return _BY_HAND
        except subprocess.CalledProcessError as error:
            return f"the installation failed (pip ended with {error.returncode}); look into the log, check the network"
        except RuntimeError as error:
            return f"{error}; start again and agree to the installation"


def _installed(requirements: Path, held: Path, feature: str) -> str:
    """Ask and install by what this Slicer has; raises what that raises."""
    try:
        from slicer import packaging
    except ImportError:  # before Slicer 5.12
        return _installed_by_pip(missing_packages(requirements), held, feature)
    packaging.pip_ensure(packaging.load_requirements(str(requirements)), constraints=str(held), requester=feature)
    return _NOT_WHILE_TESTING if _is_testing() else "Slicer did not install them; see the log"


def _installed_by_pip(missing: list[str], held: Path, feature: str) -> str:
    """The same for Slicer 5.10, whose ``pip_install`` neither asks nor looks what is there."""
    import slicer

    if missing and _is_testing():  # a question would be answered with yes
        return _NOT_WHILE_TESTING
    if missing:
        from slicer.i18n import tr as _

        text = _("{feature} needs Python packages that will be downloaded and installed into Slicer: {packages}.")
        if not slicer.util.confirmOkCancelDisplay(text.format(feature=feature, packages=", ".join(missing))):
            raise RuntimeError("The installation was declined")
        slicer.util.pip_install([*missing, "--constraint", str(held)])
    return "pip did not install them; see the log"


def _is_testing() -> bool:
    import slicer

    app = getattr(slicer, "app", None)
    return app is None or app.testingEnabled()


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ValueError, ImportError):  # half imported, or blocked
        return False


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
