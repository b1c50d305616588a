"""Tasks of the core in the other process: the same results as here, and errors that survive the way."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

from radioembolization import errors, treatment
from radioembolization.planning import MeanDose, Prescription
from RadioembolizationPlannerLib import worker
from RadioembolizationPlannerLib.parcel import arrays_in, pack, unpack
from RadioembolizationPlannerLib.runner import run_blocking
from small_case import small_inputs
from support import quiet


@pytest.fixture(scope="module")
def inputs():
    return small_inputs(lung_mass_assumed=True)


@pytest.fixture(scope="module")
def here(inputs):
    """The same, prepared in this process."""
    with quiet():
        return treatment.compute_rows(treatment.prepare(inputs))


@pytest.fixture(scope="module")
def prepared(inputs):
    """The case prepared in the other process, and the steps told."""
    steps = []
    result = run_blocking(worker.prepare, inputs, lambda *step: steps.append(step))
    return result, steps


def test_a_case_is_prepared_as_it_is_here(prepared, here):
    there, steps = prepared
    np.testing.assert_array_equal(there.dose_per_gbq.rows, here.dose_per_gbq.rows)
    assert there.dose_per_gbq.fingerprint == here.dose_per_gbq.fingerprint
    assert there.notices == here.notices and there.notices  # warnings of the other process survive
    assert [what for what, _, _ in steps[:2]] == ["structures", "structures"]
    assert {what for what, _, _ in steps} == {"structures", "dose per GBq"}
    rows = [(step, of) for what, step, of in steps if what == "dose per GBq"]
    assert rows == sorted(rows) and rows[-1][0] == rows[-1][1]


def test_arrays_of_the_request_come_back_as_they_are_not_as_copies(prepared, inputs):
    there, _ = prepared
    assert there.case.inputs.ct.array is inputs.ct.array
    for mine, returned in zip(inputs.structures, there.case.inputs.structures, strict=True):
        assert returned.source.mask is mine.source.mask


def test_a_plan_uses_the_dose_rows_that_are_there(prepared, here):
    pytest.importorskip("highspy")
    given, steps = prepared[0], []
    there = run_blocking(worker.plan, given, lambda *step: steps.append(step))
    assert "dose per GBq" not in {what for what, _, _ in steps}
    assert steps[0] == ("optimization", 0, 1) and steps[-1] == ("explanation", 1, 1)
    assert ("dose of the plan", 1, 1) in steps and there.analysis.explanation.sites
    assert there.dose_per_gbq.rows is given.dose_per_gbq.rows
    with quiet():
        same = treatment.plan_on_rows(here)
    assert there.plan == same.plan and there.plan.certificate is not None
    np.testing.assert_array_equal(there.dose.array, same.dose.array)
    assert there.notices == same.notices
    assert len(pack(there, arrays_in(given))) < 0.5 * len(pickle.dumps(there))


@pytest.mark.exhaustive
def test_a_plan_of_inputs_computes_the_rows_first(inputs, here):
    pytest.importorskip("highspy")
    steps = []
    there = run_blocking(worker.plan, inputs, lambda *step: steps.append(step))
    assert list(dict.fromkeys(what for what, _, _ in steps))[:3] == ["structures", "dose per GBq", "optimization"]
    np.testing.assert_array_equal(there.dose_per_gbq.rows, here.dose_per_gbq.rows)


@pytest.mark.exhaustive
def test_impossible_limits_arrive_with_their_excess(prepared):
    pytest.importorskip("highspy")
    impossible = Prescription(
        limits=(MeanDose("normal liver").at_most(gy=1.0), MeanDose("normal liver").at_least(gy=3.0))
    )
    with pytest.raises(errors.Infeasible, match="normal liver") as caught:
        run_blocking(worker.plan, prepared[0].with_prescription(impossible))
    assert caught.value.excess


ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_and_warning_survives_the_way(kind):
    given = {"lungs": 3.0}
    error = kind("what, where and how", given) if kind is errors.Infeasible else kind("what, where and how")
    again = unpack(pack(error))
    assert type(again) is kind
    assert str(again) == "what, where and how"
    assert vars(again) == vars(error)
    if kind is errors.Infeasible:
        assert again.excess == given


def test_known_arrays_are_named_and_others_sent():
    known, other = np.arange(10_000), np.arange(10_000)
    data = pack({"a": known, "b": (known, other)}, [known])
    assert other.nbytes < len(data) < 1.1 * other.nbytes
    mine = known.copy()
    again = unpack(data, [mine])
    assert again["a"] is mine and again["b"][0] is mine
    np.testing.assert_array_equal(again["b"][1], other)


def test_arrays_are_found_in_one_order_on_both_sides(inputs):
    there = unpack(pack(inputs))
    mine, others = arrays_in(inputs), arrays_in(there)
    assert len(mine) == len(others) > 5
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_array_equal(one, other)
    shared = {"twice": [mine[0], mine[0]]}
    assert len(arrays_in(shared)) == 1
