"""Settings of the whole suite."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def kernel_cache_of_the_session(tmp_path_factory):
    """Keep computed kernels in a folder of the session, so that no run sees another's and none is left behind.

    Processes that share the suite share the folder, as their base folders lie in that of the session.
    """
    before = os.environ.get("RADIOEMBOLIZATION_CACHE")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kernels"
    os.environ["RADIOEMBOLIZATION_CACHE"] = str(folder)
    yield
    if before is None:
        del os.environ["RADIOEMBOLIZATION_CACHE"]
    else:
        os.environ["RADIOEMBOLIZATION_CACHE"] = before
