"""Notices are collected by name; other warnings pass."""

import warnings

import pytest

from radioembolization.errors import AssumedLungMass, SmallStructure
from radioembolization.treatment.case import Notice, collected_notices


def test_planner_warnings_become_notices_once_and_in_order():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with collected_notices() as notices:
            for _ in range(2):
                warnings.warn("few voxels", SmallStructure, stacklevel=1)
                warnings.warn("1 kg", AssumedLungMass, stacklevel=1)
    assert notices == [Notice("SmallStructure", "few voxels"), Notice("AssumedLungMass", "1 kg")]


def test_other_warnings_pass_through():
    with pytest.warns(DeprecationWarning, match="old"), collected_notices() as notices:
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert notices == []
