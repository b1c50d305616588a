"""What a plan was computed with."""

from __future__ import annotations

from importlib import metadata

#: Packages whose version can change a number of a plan.
_PACKAGES = ("numpy", "scipy", "SimpleITK", "cvxpy", "highspy")


def package_versions() -> dict[str, str]:
    """Return the version of each package a plan is computed with, ``"not installed"`` where it is absent."""
    return {package: _version(package) for package in _PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
