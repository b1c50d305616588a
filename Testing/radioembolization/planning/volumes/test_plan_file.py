"""A plan under a dose-volume limit carries the record of its gap, and is checked with it."""

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import CertificateRejected
from radioembolization.planning import LowestDose, LungDose, MeanDose, VolumeAbove, maximize
from radioembolization.planning.recheck import recheck
from radioembolization.planning.volumes.record import VolumeCertificate
from radioembolization.planning.volumes.record_document import from_document, to_document

DOSE = planning_phantom(1500, sites=3, tumours=2, seed=1)
PROBLEM = maximize(LowestDose()).subject_to(
    MeanDose("normal liver").at_most(gy=50),
    LungDose().at_most(gy=30),
    VolumeAbove("normal liver", 40).at_most(percent=20),
)


@pytest.fixture(scope="module")
def plan():
    return PROBLEM.solve(DOSE)


def test_the_gap_is_computed_anew(plan):
    assert plan.status == "gap"
    assert isinstance(plan.certificate, VolumeCertificate)
    found = recheck(plan, DOSE)
    assert found.bound == pytest.approx(plan.goal.bound, rel=1e-5)
    assert 0.0 < found.gap <= 0.0201
    assert found.value == pytest.approx(plan.goal.value)


def test_a_record_read_back_proves_the_same_and_fits_the_schema(plan):
    document = json.loads(json.dumps(to_document(plan.certificate)))
    schema = json.loads(resources.files("radioembolization.files").joinpath("plan.schema.json").read_text())
    jsonschema.validate(document, {"$ref": "#/$defs/gap", "$defs": schema["$defs"]})
    again = replace(plan, certificate=from_document(document))
    assert recheck(again, DOSE).bound == recheck(plan, DOSE).bound


def test_a_better_bound_than_the_boxes_prove_is_rejected(plan):
    lower = replace(plan.certificate, bound=plan.goal.value * 1.0001)
    with pytest.raises(CertificateRejected, match="The boxes prove a bound"):
        recheck(replace(plan, certificate=lower), DOSE)


def test_other_rows_leave_the_bound_unproved_and_say_so(plan):
    other = replace(DOSE, lung_shunt=DOSE.lung_shunt + 1e-9)
    with pytest.raises(CertificateRejected):  # the lung shunt of the sites is not as stated
        recheck(plan, other)
    found = recheck(plan, other, same_rows=False)
    assert found.bound is None
    assert any("other dose rows" in sentence for sentence in found.unproved)
