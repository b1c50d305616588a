"""Settings of the whole suite."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder of the session; processes that share the suite share it, as their base folders lie in it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def environment_of_the_session(shared_folder: Path):
    """Keep computed kernels in a folder of the session, so that no run sees another's and none is left behind.

    So too what the processes of tests compile, where Python was told to keep nothing beside the source: each of them
    would compile the whole package again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADIOEMBOLIZATION_CACHE", str(shared_folder / "kernels"))
        if "PYTHONDONTWRITEBYTECODE" in os.environ:
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared_folder / "compiled"))
        yield
