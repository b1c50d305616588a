"""Long series of cases, of which every run takes a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def series(values: Sequence[Any], default: int) -> list[Any]:
    """Return the parameters of a test: the first ``default`` in every run, the rest marked ``exhaustive``."""
    rest = (pytest.param(value, marks=pytest.mark.exhaustive) for value in values[default:])
    return [*values[:default], *rest]
