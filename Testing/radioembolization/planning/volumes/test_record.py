"""The record of a search over doses: checked without a solver, and rejected whatever of it is changed."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import CertificateRejected
from radioembolization.planning import (
    Effort,
    LowestDose,
    LowestDoseAtVolume,
    LungDose,
    MeanDose,
    VolumeAbove,
)
from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.solve import optimize
from radioembolization.planning.volumes.check import proved_bound, verify_volumes
from radioembolization.planning.volumes.record import multipliers_of
from radioembolization.planning.volumes.record_document import from_document, to_document
from volume_cases import N

LIMITS = [MeanDose(N).at_most(gy=50), LungDose().at_most(gy=30), VolumeAbove(N, 40.0).at_most(percent=30)]


@pytest.fixture(scope="module")
def dose():
    return planning_phantom(2000, sites=12, tumours=4, seed=1)


@pytest.fixture(scope="module")
def solved(dose):
    return optimize(LowestDose(), LIMITS, dose, effort=Effort(volume_gap=0.003))


GOAL = LowestDose()


def checked(certificate, solved, dose, goal=GOAL, limits=LIMITS):
    return verify_volumes(certificate, goal, limits, dose, solved.activities_gbq, solved.optimum)


def changed(node, number, change):
    """Return the tree with one node, counted from the first, changed."""
    left = [number]

    def walk(at):
        left[0] -= 1
        if left[0] == -1:
            return change(at)
        return replace(at, parts=tuple(walk(part) for part in at.parts))

    return walk(node)


def numbers_of(root, wanted):
    return [k for k, node in enumerate(root.walk()) if wanted(node)]


def test_the_record_proves_the_bound(solved, dose):
    verdict = checked(solved.volumes, solved, dose)
    assert verdict.bound == pytest.approx(solved.bound, rel=1e-5)
    assert verdict.value == pytest.approx(solved.optimum)
    assert verdict.gap <= 0.00301
    assert len(list(solved.volumes.root.walk())) > 10
    assert any("boxes" in sentence for sentence in verdict.checked)


def test_it_survives_a_document(solved, dose):
    text = json.dumps(to_document(solved.volumes))
    again = from_document(json.loads(text))
    assert checked(again, solved, dose).bound == checked(solved.volumes, solved, dose).bound
    assert json.dumps(to_document(again)) == text


@pytest.mark.exhaustive
def test_the_level_of_a_dose_at_a_volume_is_proved():
    dose, goal = planning_phantom(2000, sites=3, tumours=2, seed=1), LowestDoseAtVolume(70.0)
    found = optimize(goal, LIMITS, dose)
    verdict = checked(found.volumes, found, dose, goal)
    assert verdict.bound == found.volumes.level == found.bound
    assert found.optimum < found.bound <= 1.0201 * found.optimum
    for level in (0.5 * (found.optimum + found.bound), found.optimum):
        with pytest.raises(CertificateRejected):
            checked(replace(found.volumes, level=level), found, dose, goal)
    with pytest.raises(CertificateRejected, match="not one of this goal"):
        proved_bound(found.volumes, LowestDose(), LIMITS, dose)


def test_a_smaller_bound_is_not_proved(solved, dose):
    with pytest.raises(CertificateRejected, match=r"prove a bound of .* only"):
        checked(replace(solved.volumes, bound=solved.bound * (1 - 1e-3)), solved, dose)


@pytest.mark.parametrize("bound", [math.nan, math.inf, -math.inf])
def test_a_bound_that_is_no_number_is_refused(solved, dose, bound):
    with pytest.raises(CertificateRejected):
        checked(replace(solved.volumes, bound=bound), solved, dose)


def test_a_part_of_a_box_that_is_left_out_is_noticed(solved, dose):
    root = solved.volumes.root
    for number in numbers_of(root, lambda node: node.split is not None)[:4]:
        for keep in ((0,), (1,), ()):
            broken = changed(root, number, lambda n, k=keep: replace(n, parts=tuple(n.parts[i] for i in k)))
            with pytest.raises(CertificateRejected):
                checked(replace(solved.volumes, root=broken), solved, dose)


def test_halves_that_do_not_meet_are_noticed_or_proved(solved, dose):
    # Split elsewhere, boxes are others; with the same multipliers they prove less, or are closed all the same.
    root = solved.volumes.root
    number = numbers_of(root, lambda node: node.split is not None)[0]
    bounds = []
    for factor in (0.0, 0.5, 0.9, 1.1, 2.0, 1e6):
        broken = changed(root, number, lambda n, f=factor: replace(n, split=(n.split[0], n.split[1] * f)))
        try:
            bounds.append(proved_bound(replace(solved.volumes, root=broken), LowestDose(), LIMITS, dose))
        except CertificateRejected:
            bounds.append(np.inf)
    assert min(bounds) >= solved.optimum


def test_multipliers_that_were_changed_never_prove_too_much(solved, dose):
    # Any multipliers prove some bound; whatever they are, none below a plan.
    rng = np.random.default_rng(0)
    root = solved.volumes.root
    leaves = numbers_of(root, lambda node: node.bound is not None)
    steps = numbers_of(root, lambda node: node.steps)

    def shaken(y):
        def more(part):
            return part[0], part[1] * np.exp(rng.normal(0.0, 1.0, len(part[1])))

        return replace(
            y,
            planes=more(y.planes),
            limits=y.limits * np.exp(rng.normal(0.0, 1.0, len(y.limits))),
            slopes=tuple(more(part) for part in y.slopes),
            sides=more(y.sides),
        )

    for k in range(12):
        if k % 2:
            broken = changed(root, leaves[k % len(leaves)], lambda n: replace(n, bound=shaken(n.bound)))
        else:
            broken = changed(
                root,
                steps[k % len(steps)],
                lambda n: replace(n, steps=tuple((c, above, shaken(y)) for c, above, y in n.steps)),
            )
        weak = replace(solved.volumes, root=broken, bound=10.0 * solved.bound)
        try:
            assert proved_bound(weak, LowestDose(), LIMITS, dose) >= solved.optimum
        except CertificateRejected:
            continue


def test_a_floor_above_the_bound_raises_the_bound(solved, dose):
    root = solved.volumes.root
    number = numbers_of(root, lambda node: node.steps)[0]
    broken = changed(root, number, lambda n: replace(n, floor=1.5 * solved.bound))
    with pytest.raises(CertificateRejected, match="only"):
        checked(replace(solved.volumes, root=broken), solved, dose)


def first_multipliers(certificate, change):
    number = numbers_of(certificate.root, lambda node: node.bound is not None)[0]
    return replace(certificate, root=changed(certificate.root, number, lambda n: replace(n, bound=change(n.bound))))


MUTATIONS = {
    "rows": lambda c: replace(c, fingerprint="0" * 64),
    "coordinates": lambda c: replace(c, matrix=c.matrix * -1.0),
    "sites": lambda c: replace(c, matrix=c.matrix[:, :-1]),
    "no number in coordinates": lambda c: replace(c, matrix=c.matrix * np.nan),
    "forms": lambda c: replace(c, forms=()),
    "negative forms": lambda c: replace(c, forms=tuple(-form for form in c.forms)),
    "no forms at all": lambda c: replace(c, forms=tuple(0.0 * form for form in c.forms)),
    "no planes": lambda c: replace(c, planes=()),
    "a plane of a dose-volume limit": lambda c: replace(c, planes=(Origin("limit", 2), *c.planes[1:])),
    "a rule": lambda c: replace(c, planes=(Origin("site", 0), *c.planes[1:])),
    "a plane nowhere": lambda c: replace(c, planes=(Origin("goal", 0, 0, np.full(12, np.nan)), *c.planes[1:])),
    "a level": lambda c: replace(c, level=1.0),
    "a width of cells": lambda c: replace(c, root=replace(c.root, level=7)),
    "an end": lambda c: replace(c, root=replace(c.root, parts=(), steps=(), bound=None, split=None)),
    "negative limits": lambda c: first_multipliers(c, lambda y: replace(y, limits=-1.0 - y.limits)),
    "no number": lambda c: first_multipliers(c, lambda y: replace(y, limits=y.limits * np.nan)),
    "a place of none": lambda c: first_multipliers(c, lambda y: replace(y, sides=(np.array([99]), np.array([1.0])))),
    "a place twice": lambda c: first_multipliers(
        c, lambda y: replace(y, sides=(np.array([0, 0]), np.array([1.0, -1.0])))
    ),
    "a floor of nothing": lambda c: first_multipliers(c, lambda y: replace(y, floor=1.0)),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_whatever_is_changed_is_rejected(name, solved, dose):
    with np.errstate(all="ignore"), pytest.raises(CertificateRejected):
        checked(MUTATIONS[name](solved.volumes), solved, dose)


@pytest.mark.parametrize(
    "limits",
    [
        [*LIMITS[:2], VolumeAbove(N, 40.0).at_most(percent=35)],
        [*LIMITS[:2], VolumeAbove(N, 45.0).at_most(percent=30)],
        [MeanDose(N).at_most(gy=80), *LIMITS[1:]],
        LIMITS[:2],
    ],
    ids=["share", "dose", "mean", "none"],
)
def test_looser_limits_are_not_those_of_the_record(limits, solved, dose):
    with pytest.raises(CertificateRejected):
        bound = proved_bound(solved.volumes, LowestDose(), limits, dose)
        # A limit that has no multipliers may be loosened as far as it likes.
        assert bound < solved.bound * (1.0 + 1e-6)
        raise CertificateRejected


def test_a_plan_beyond_its_limits_is_rejected(solved, dose):
    with pytest.raises(CertificateRejected, match="exceeds its limit"):
        x = 1.05 * solved.activities_gbq
        verify_volumes(solved.volumes, LowestDose(), LIMITS, dose, x, LowestDose().value(dose, x))


@pytest.mark.parametrize("key", ["matrix", "forms", "planes", "counts", "numbers", "bound", "widths", "fingerprint"])
def test_documents_that_lack_something_are_refused(key, solved):
    document = to_document(solved.volumes)
    del document[key]
    with pytest.raises(CertificateRejected, match="cannot be read"):
        from_document(document)


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", 3, None])
def test_documents_of_no_numbers_are_refused(text, solved):
    for key in ("counts", "numbers"):
        with pytest.raises(CertificateRejected, match="cannot be read"):
            from_document({**to_document(solved.volumes), key: text})


def test_every_multiplier_is_counted(solved):
    size = sum(y.size for node in solved.volumes.root.walk() for y in multipliers_of(node))
    assert solved.volumes.size == size > 100
