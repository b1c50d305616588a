"""Settings of the whole suite."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def kernel_cache_of_the_session(tmp_path_factory):
    """Keep computed kernels in a folder of the session, so that no run sees another's and none is left behind."""
    before = os.environ.get("RADIOEMBOLIZATION_CACHE")
    os.environ["RADIOEMBOLIZATION_CACHE"] = str(tmp_path_factory.mktemp("kernels"))
    yield
    if before is None:
        del os.environ["RADIOEMBOLIZATION_CACHE"]
    else:
        os.environ["RADIOEMBOLIZATION_CACHE"] = before
