"""Proofs of bounds: checked without a solver, against enumeration, and rejected whatever number is changed."""

import copy
import json
import math
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from enumeration import best_value
from planning_phantom import planning_phantom
from radioembolization.errors import CertificateRejected, PlannerError
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LogTumourControl,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MeanDose,
    MeanShortfall,
    PerfusedNormalLiverDose,
    Problem,
    ShuntedActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    VoxelShortfall,
    WorstTumourMean,
    maximize,
    minimize,
)
from radioembolization.planning.certificate import verify
from radioembolization.planning.certificate_json import certificate_from_json, certificate_to_json
from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.proof import Certificate, ProofNode
from radioembolization.planning.proof_check import ProofCheck, computed_planes
from radioembolization.planning.recheck import recheck
from series import series
from support import dose_rows, random_rows

WHOLE, LUNGS = MeanDose("normal liver"), LungDose()
#: The best plan, whatever number of injections it takes.
EXACT = Effort(fewer_within=None)
TWO_SITES = InjectionSites().at_most(count=2)


def small(seed, sites=5, tumours=3):
    return random_rows(np.random.default_rng(seed), sites, tumours, spill=0.02)


def checked(certificate, problem, plan, dose, **changes):
    return verify(certificate, problem.goal, problem.limits, dose, plan.activities_gbq, plan.goal.value, **changes)


SMALL = {
    "linear": maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=40), LUNGS.at_most(gy=20)),
    "shortfalls": minimize(MeanShortfall("T0", 250.0) + 0.5 * MeanShortfall("T1", 400.0)).subject_to(
        WHOLE.at_most(gy=40), LUNGS.at_most(gy=20)
    ),
    "lower limit": maximize(WorstTumourMean()).subject_to(
        WHOLE.at_most(gy=40), LUNGS.at_most(gy=20), MeanDose("T1").at_least(gy=150), ShuntedActivity().at_most(gbq=0.4)
    ),
    "count": maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=40), LUNGS.at_most(gy=20), TWO_SITES),
    "least activity": maximize(WorstTumourMean()).subject_to(
        WHOLE.at_most(gy=40), LUNGS.at_most(gy=20), InjectionActivity().at_least(gbq=0.4)
    ),
    "territories": maximize(WorstTumourMean()).subject_to(
        TerritoryNormalLiverDose().at_most(gy=40), LUNGS.at_most(gy=20), InjectionSites().at_most(count=3)
    ),
    "everything": minimize(MeanShortfall("T0", 250.0) + MeanShortfall("T2", 300.0)).subject_to(
        TerritoryNormalLiverDose().at_most(gy=40),
        LUNGS.at_most(gy=20),
        TotalActivity().at_most(gbq=3.0),
        InjectionActivity().at_least(gbq=0.2),
        InjectionSites().at_most(count=3),
    ),
}


@pytest.mark.parametrize("seed", series(range(4), 1))
@pytest.mark.parametrize("name", SMALL)
def test_proved_bounds_enclose_the_optimum_by_enumeration(name, seed):
    problem, dose = SMALL[name], small(seed)
    best = best_value(problem, dose)
    plan = problem.solve(dose, EXACT)
    assert plan.certificate is not None, plan.unproved
    verdict = checked(plan.certificate, problem, plan, dose)
    assert verdict.bound == pytest.approx(plan.goal.bound, rel=1e-12)
    beyond = verdict.bound - best if problem.goal.maximized else best - verdict.bound
    # linprog is accurate to 1e-9; the search ends at a gap of 5e-6.
    assert -1e-8 * best <= beyond <= 2e-5 * max(1.0, best)


VOXELS = {
    "coldest voxel": maximize(LowestDose()).subject_to(WHOLE.at_most(gy=40), LUNGS.at_most(gy=20)),
    "coldest part": maximize(LowestColdestMean(10.0)).subject_to(
        HottestMean("normal liver", 20.0).at_most(gy=80), LUNGS.at_most(gy=20), InjectionSites().at_most(count=3)
    ),
    "voxel shortfalls": minimize(VoxelShortfall("tumour 1", 200.0) + VoxelShortfall("tumour 2", 150.0)).subject_to(
        PerfusedNormalLiverDose().at_most(gy=40), LUNGS.at_most(gy=20)
    ),
    "level": maximize(LowestEUD(0.02, 10.0, 1.5)).subject_to(WHOLE.at_most(gy=40), LUNGS.at_most(gy=20)),
    "level of tumour control": maximize(LogTumourControl(0.03, 10.0, 1.5, clonogens_per_ml=1e3)).subject_to(
        WHOLE.at_most(gy=40), LUNGS.at_most(gy=20), InjectionActivity().at_least(gbq=0.6)
    ),
    "level and count": maximize(LowestEUD(0.02, 10.0, 1.5)).subject_to(
        WHOLE.at_most(gy=40), LUNGS.at_most(gy=20), TWO_SITES
    ),
}


@pytest.fixture(scope="module")
def phantom():
    return planning_phantom(1500, sites=8, tumours=4, seed=1, jitter=0.3)


@pytest.fixture(scope="module")
def planned(phantom):
    """Plan over all voxels by the name of its problem, each solved once."""
    return cache(lambda name: VOXELS[name].solve(phantom))


@pytest.mark.parametrize("name", VOXELS)
def test_goals_and_limits_over_all_voxels_are_proved(name, phantom, planned):
    problem = VOXELS[name]
    plan = planned(name)
    assert plan.certificate is not None, plan.unproved
    assert (plan.certificate.level is not None) == name.startswith("level")
    verdict = checked(plan.certificate, problem, plan, phantom)
    assert verdict.bound == pytest.approx(plan.goal.bound, rel=1e-12)
    assert plan.goal.gap < 2e-3
    # No plan of many drawn at random, each scaled into its limits, surpasses the bound.
    rng = np.random.default_rng(0)
    for _ in range(200):
        plan_gbq = rng.exponential(size=8) * (rng.permutation(8) < rng.integers(1, 9))
        upper = [limit for limit in problem.limits if limit.quantity.keyword == "gy"]
        scales = [limit.quantity.largest_scale(phantom, plan_gbq, limit.bound) for limit in upper]
        plan_gbq = plan_gbq * min(scales)
        if all(limit.is_met(phantom, plan_gbq) for limit in problem.limits):
            value = problem.goal.value(phantom, plan_gbq)
            beyond = value - verdict.bound if problem.goal.maximized else verdict.bound - value
            assert beyond <= 1e-9 * abs(value)


def test_the_check_needs_no_solver(phantom, planned, monkeypatch):
    plans = [(problem, planned(name)) for name, problem in VOXELS.items()]
    for name in [name for name in sys.modules if name.split(".")[0] in ("cvxpy", "highspy")]:
        monkeypatch.setitem(sys.modules, name, None)
    for problem, plan in plans:
        assert recheck(plan, phantom).bound == plan.goal.bound
        assert checked(plan.certificate, problem, plan, phantom).gap < 0.05


def test_a_plan_without_a_certificate_is_still_computed_anew(phantom):
    plan = VOXELS["coldest voxel"].solve(phantom)
    without = replace(plan, certificate=None, unproved="It was lost.")
    found = recheck(without, phantom)
    assert found.bound is None
    assert "the bound: It was lost." in found.unproved
    assert found.value == pytest.approx(plan.goal.value)
    wrong = replace(without, goal=replace(plan.goal, value=1.01 * plan.goal.value))
    with pytest.raises(CertificateRejected, match="goal of the plan"):
        recheck(wrong, phantom)


# Round trip.


@pytest.mark.parametrize("name", [*SMALL, *VOXELS])
def test_json_keeps_every_bit(name, phantom, planned):
    dose = phantom if name in VOXELS else small(1)
    plan = planned(name) if name in VOXELS else SMALL[name].solve(dose)
    text = json.dumps(certificate_to_json(plan.certificate), allow_nan=False)
    again = certificate_from_json(json.loads(text), len(dose.site_names))
    assert json.dumps(certificate_to_json(again)) == text
    for (origin, plane), (origin_again, plane_again) in zip(plan.certificate.planes, again.planes, strict=True):
        assert (origin.kind, origin.index, origin.plane) == (origin_again.kind, origin_again.index, origin_again.plane)
        np.testing.assert_array_equal(plane.row, plane_again.row)
        assert (origin.at_gbq is None) == (origin_again.at_gbq is None)
    problem = Problem.from_tables(json.loads(json.dumps(plan.prescription)))
    assert problem == (SMALL | VOXELS)[name]
    assert checked(again, problem, plan, dose).bound == plan.goal.bound


# What is rejected.


@pytest.fixture(scope="module")
def proved():
    """Return a problem with a search, its plan and dose rows, with branches of every kind."""
    problem, dose = SMALL["everything"], small(3)
    plan = problem.solve(dose, EXACT)
    assert plan.certificate.proof.branches
    return problem, plan, dose


@pytest.fixture(scope="module")
def counted():
    """Return a problem whose proof packs cuts."""
    problem, dose = SMALL["count"], small(5, sites=7, tumours=4)
    plan = problem.solve(dose, EXACT)
    assert "pack" in json.dumps(certificate_to_json(plan.certificate))
    return problem, plan, dose


def rejected(certificate, problem, plan, dose, match, **changes):
    with pytest.raises(CertificateRejected, match=match):
        checked(certificate, problem, plan, dose, **changes)


def test_a_changed_activity(proved):
    problem, plan, dose = proved
    used = int(np.argmax(plan.activities_gbq))
    for factor in (0.999, 1.001):
        sites = list(plan.sites)
        sites[used] = replace(sites[used], activity_gbq=factor * sites[used].activity_gbq)
        rejected(
            plan.certificate, problem, replace(plan, sites=tuple(sites)), dose, "goal of the plan|exceeds its limit"
        )
    trace = replace(plan, sites=(*plan.sites[:-1], replace(plan.sites[-1], activity_gbq=5e-7)))
    rejected(plan.certificate, problem, trace, dose, "counts as unused")


def test_a_changed_limit(proved):
    problem, plan, dose = proved
    for factor, match in ((0.99, "exceeds its limit|not what the voxels give"), (1.01, "not what the voxels give")):
        for index, limit in enumerate(problem.limits[:3]):
            if plan.limits[index].binding:
                limits = list(problem.limits)
                limits[index] = replace(limit, bound=factor * limit.bound)
                rejected(plan.certificate, replace(problem, limits=tuple(limits)), plan, dose, match)


def test_a_limit_left_out(proved):
    problem, plan, dose = proved
    for index in range(len(problem.limits)):
        if plan.limits[index].binding:
            limits = (*problem.limits[:index], *problem.limits[index + 1 :])
            rejected(plan.certificate, replace(problem, limits=limits), plan, dose, ".")


def test_a_changed_dose_row(proved):
    problem, plan, dose = proved
    rows = dose.rows.copy()
    rows[:, 0] *= 1.001
    other = replace(dose, rows=rows)
    rejected(plan.certificate, problem, plan, other, "SHA256")
    resigned = replace(plan.certificate, fingerprint=other.fingerprint)
    rejected(resigned, problem, plan, other, ".")


def test_a_changed_plane(proved):
    problem, plan, dose = proved
    for number, (origin, plane) in enumerate(plan.certificate.planes):
        row = plane.row.copy()
        row[int(np.argmax(np.abs(row)))] *= 1.001
        for wrong in (replace(plane, row=row), replace(plane, constant=plane.constant + 0.1)):
            planes = list(plan.certificate.planes)
            planes[number] = (origin, wrong)
            rejected(replace(plan.certificate, planes=tuple(planes)), problem, plan, dose, f"Row {number} of the cert")


def test_changed_multipliers(counted):
    problem, plan, dose = counted
    used = _cuts_of(plan.certificate.proof)
    for number in sorted(used):
        cuts = list(plan.certificate.cuts)
        cuts[number] = dict.fromkeys(cuts[number], 0.5)
        try:
            bound = checked(replace(plan.certificate, cuts=tuple(cuts)), problem, plan, dose).bound
        except CertificateRejected:
            continue
        assert bound >= best_value(problem, dose) * (1 - 1e-9)
    none = replace(plan.certificate, cuts=tuple({} for _ in plan.certificate.cuts))
    rejected(none, problem, plan, dose, "proves nothing")
    foreign = replace(plan.certificate, cuts=({10_000: 1.0}, *plan.certificate.cuts[1:]))
    rejected(foreign, problem, plan, dose, "does not have")
    for number in (math.nan, math.inf, -1.0):
        wrong = replace(plan.certificate, cuts=({0: number}, *plan.certificate.cuts[1:]))
        rejected(wrong, problem, plan, dose, "not a number from zero on")


def _cuts_of(node):
    below = set().union(*(_cuts_of(child) for _, child in node.branches)) if node.branches else set()
    return below | set(node.packing) | ({node.cut} if node.cut >= 0 else set())


def test_a_removed_branch(proved):
    problem, plan, dose = proved
    proof = plan.certificate.proof
    for number in range(len(proof.branches)):
        branches = (*proof.branches[:number], *proof.branches[number + 1 :])
        short = replace(plan.certificate, proof=replace(proof, branches=branches))
        rejected(short, problem, plan, dose, "leaves out the branch|no proof|above the bound")


def test_a_changed_site_of_a_branch(proved):
    problem, plan, dose = proved
    proof = plan.certificate.proof
    site, child = proof.branches[0]
    for other in (site + 1, 99, -1):
        branches = ((other, child), *proof.branches[1:])
        rejected(
            replace(plan.certificate, proof=replace(proof, branches=branches)), problem, plan, dose, "search|branch"
        )


def test_a_leaf_with_too_few_cuts(counted):
    problem, plan, dose = counted
    for packing in ((0,), (0, 0, 0), (99,), (-1,)):
        bare = replace(plan.certificate, proof=ProofNode(packing=packing))
        rejected(bare, problem, plan, dose, "too few cuts|share a site|proves nothing")
    rejected(replace(plan.certificate, proof=ProofNode()), problem, plan, dose, "no proof")


@pytest.mark.parametrize("factor", [0.5, 0.999, 0.99999])
@pytest.mark.parametrize("name", ["linear", "lower limit", "count", "territories", "least activity"])
def test_a_lowered_bound(name, factor):
    problem, dose = SMALL[name], small(2)
    plan = problem.solve(dose, EXACT)
    lowered = replace(plan.certificate, bound=factor * plan.certificate.bound)
    rejected(lowered, problem, plan, dose, "prove|search|beyond its own bound")
    # Everything else that the file states changed with it.
    goal = replace(plan.goal, bound=lowered.bound, gap=abs(lowered.bound - plan.goal.optimum) / lowered.bound)
    with pytest.raises(CertificateRejected):
        recheck(replace(plan, certificate=lowered, goal=goal), dose)


def test_a_bound_below_the_plan_itself(proved):
    problem, plan, dose = proved
    certificate = replace(plan.certificate, bound=-1.5 * plan.goal.value)
    with pytest.raises(CertificateRejected):
        checked(certificate, problem, plan, dose)


def test_rules_of_used_sites_prove_nothing_elsewhere(proved):
    problem, plan, dose = proved
    (rule, *_) = [k for k, (origin, _) in enumerate(plan.certificate.planes) if origin.kind == "site"]
    cuts = tuple({**cut, rule: 1.0} for cut in (*plan.certificate.cuts, {}))
    rejected(replace(plan.certificate, cuts=cuts), problem, plan, dose, "used where it need not be")
    proof = plan.certificate.proof
    root = replace(proof, multipliers={**proof.multipliers, rule: 1.0})
    rejected(replace(plan.certificate, proof=root), problem, plan, dose, "used where it need not be")


@pytest.mark.parametrize(
    ("origin", "match"),
    [
        (Origin("limit", 0, 0, np.zeros(5)), "no bound that a plane can touch"),  # a rule of territories
        (Origin("limit", 3, 0), "no bound that a plane can touch"),  # of the least activity
        (Origin("limit", 4, 0), "no bound that a plane can touch"),  # of the number of sites
        (Origin("limit", 99, 0), "limit 99, which there is not"),
        (Origin("limit", -1, 0), "limit -1, which there is not"),
        (Origin("goal", -1, 0), "goal -1, which there is not"),  # would count as a row of a limit
        (Origin("goal", 2, 0), "goal 2, which there is not"),
        (Origin("goal", 0, 7), "plane 7, which there is not"),
        (Origin("goal", 0, -1), "plane -1, which there is not"),
        (Origin("site", -1, 0), "site -1, which there is not"),
        (Origin("wish", 0, 0), "wish 0, which there is not"),
        (Origin("limit", 1, 0, np.full(5, np.nan)), "touches at no activities"),
        (Origin("limit", 1, 0, np.full(5, np.inf)), "touches at no activities"),
        (Origin("limit", 1, 0, np.full(5, -1.0)), "touches at no activities"),
        (Origin("limit", 1, 0, np.zeros(4)), "touches at no activities"),
    ],
)
def test_rows_that_come_from_nothing(proved, origin, match):
    problem, plan, dose = proved
    planes = ((origin, plan.certificate.planes[0][1]), *plan.certificate.planes[1:])
    rejected(replace(plan.certificate, planes=planes), problem, plan, dose, match)
    rejected(replace(plan.certificate, planes=planes), problem, plan, dose, match, same_rows=False)


def test_a_dose_volume_limit_has_no_planes():
    dose = small(1)
    limits = (WHOLE.at_most(gy=40), VolumeAbove("normal liver", 60.0).at_most(percent=30))
    with pytest.raises(CertificateRejected, match="no bound that a plane can touch"):
        computed_planes([Origin("limit", 1, 0)], WorstTumourMean(), limits, dose)


def test_without_rows_nothing_follows(proved):
    problem, plan, dose = proved
    empty = Certificate(dose.fingerprint, (), (), None, plan.certificate.bound)
    rejected(empty, problem, plan, dose, "no rows")


def test_a_term_without_multipliers_proves_nothing():
    problem, dose = SMALL["shortfalls"], small(2)
    plan = problem.solve(dose, EXACT)
    of_second = {k for k, (o, _) in enumerate(plan.certificate.planes) if (o.kind, o.index) == ("goal", 1)}
    (cut,) = plan.certificate.cuts
    assert of_second & set(cut)
    without = ({number: y for number, y in cut.items() if number not in of_second},)
    rejected(replace(plan.certificate, cuts=without), problem, plan, dose, "prove a score of inf")
    other_term = tuple(
        (replace(origin, index=1 - origin.index) if origin.kind == "goal" else origin, plane)
        for origin, plane in plan.certificate.planes
    )
    rejected(replace(plan.certificate, planes=other_term), problem, plan, dose, "not what the voxels give")


def test_levels_must_be_refuted(phantom):
    problem = VOXELS["level"]
    plan = problem.solve(phantom)
    certificate = plan.certificate
    assert certificate.bound <= 0
    rejected(replace(certificate, bound=1e-3), problem, plan, phantom, "may surpass that level")
    for level in (0.9 * plan.goal.value, plan.goal.value * 0.99999):  # reached, so its margin has no such bound
        rejected(replace(certificate, level=level), problem, plan, phantom, "Row|beyond its own bound|prove")
    for level in (-1e9, -50.0):
        rejected(replace(certificate, level=level), problem, plan, phantom, ".")
    rejected(replace(certificate, level=math.nan), problem, plan, phantom, "no margin")
    rejected(replace(certificate, level=None), problem, plan, phantom, "cannot be computed")
    other = VOXELS["coldest voxel"]
    without = other.solve(phantom)
    rejected(replace(without.certificate, level=50.0), other, without, phantom, "has no margin")


def test_huge_multipliers_cannot_hide_behind_rounding():
    # The normal liver at exactly 33.3 Gy: equal multipliers of both limits cancel, and what rounding leaves of 1e20
    # would be a bound far below the optimum, or far above.
    dose = small(0, sites=4, tumours=2)
    problem = maximize(WorstTumourMean()).subject_to(
        WHOLE.at_most(gy=33.3), WHOLE.at_least(gy=33.3), LUNGS.at_most(gy=20)
    )
    best = best_value(problem, dose)
    goal_rows = [Origin("goal", 0, plane) for plane in range(2)]
    origins = [*goal_rows, Origin("limit", 0), Origin("limit", 1)]
    planes = [
        touching[o.plane] for o, touching in zip(origins, computed_planes(origins, *_parts(problem), dose), strict=True)
    ]
    rng = np.random.default_rng(1)
    fooled = 0
    for _ in range(3000):
        huge = 10.0 ** rng.uniform(12, 20)
        cut = {0: 0.5, 1: 0.5, 2: 7.0 + huge, 3: huge * (1.0 + int(rng.integers(-3, 4)) * 2.2e-16)}
        check = ProofCheck(origins, planes, [cut], *_parts(problem), dose)
        assert check.proved() >= best
        fooled += check.cuts[0].argument.bound(np.zeros(4), check.upper) < best
    assert fooled > 10  # it would have worked


def _parts(problem):
    return problem.goal, problem.limits


def test_doses_below_zero_do_not_cap_anything():
    # More activity at site 2 lowers the dose of the normal liver: the limit bounds nothing.
    dose = dose_rows([[4.0, 1.0], [2.0, -0.5]], [0.5, 0.5], {"T": [0]}, [1], perfused=np.ones((2, 2)))
    origins = [Origin("goal", 0), Origin("limit", 0)]
    problem = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=40), TotalActivity().at_most(gbq=5))
    planes = [touching[0] for touching in computed_planes(origins, *_parts(problem), dose)]
    with pytest.raises(CertificateRejected, match="below zero"):
        ProofCheck(origins, planes, [{0: 1.0}], *_parts(problem), dose)


@pytest.mark.exhaustive
def test_rows_of_another_machine_may_differ_by_rounding(phantom):
    rng = np.random.default_rng(0)
    shaken = replace(phantom, rows=(phantom.rows * (1 + 1e-7 * rng.standard_normal(phantom.rows.shape))).astype("f4"))
    for problem in VOXELS.values():
        plan = problem.solve(phantom)
        rejected(plan.certificate, problem, plan, shaken, "SHA256")
        verdict = checked(plan.certificate, problem, plan, shaken, same_rows=False)
        assert verdict.bound == pytest.approx(plan.goal.bound, rel=3e-5)
        assert recheck(plan, shaken, same_rows=False).bound == verdict.bound
    other = replace(phantom, rows=np.float32(1.001) * phantom.rows)
    rejected(plan.certificate, problem, plan, other, ".", same_rows=False)


# Documents.


def mutate(path, value):
    def change(document):
        *way, last = path
        for key in way:
            document = document[key]
        if value is ...:
            del document[last]
        else:
            document[last] = value
        return document

    return change


def _nested(depth):
    node = ["bound", []]
    for _ in range(depth):
        node = ["branch", 0, [[0, node]]]
    return node


@pytest.mark.parametrize(
    "change",
    [
        *(mutate([key], ...) for key in ("kind", "fingerprint", "bound", "level", "planes", "cuts", "proof")),
        *(mutate(["planes", 0, key], ...) for key in ("of", "index", "plane", "at_gbq", "row", "constant")),
        mutate(["more"], 1),
        mutate(["kind"], "gap"),
        mutate(["fingerprint"], 5),
        mutate(["bound"], None),
        mutate(["bound"], "106"),
        mutate(["bound"], math.nan),
        mutate(["bound"], math.inf),
        mutate(["bound"], True),
        mutate(["bound"], 10**400),
        mutate(["level"], [1]),
        mutate(["planes"], {}),
        mutate(["planes", 0], 3),
        mutate(["planes", 0, "of"], ["goal"]),
        mutate(["planes", 0, "of"], "wish"),
        mutate(["planes", 0, "index"], -1),
        mutate(["planes", 0, "index"], 1.0),
        mutate(["planes", 0, "index"], 10**30),
        mutate(["planes", 0, "row"], [1.0]),
        mutate(["planes", 0, "row", 0], math.nan),
        mutate(["planes", 0, "row", 0], None),
        mutate(["planes", 0, "at_gbq"], [math.nan] * 7),
        mutate(["cuts", 0], [[0]]),
        mutate(["cuts", 0], [[0, 1.0], [0, 1.0]]),
        mutate(["cuts", 0], [[-1, 1.0]]),
        mutate(["cuts", 0], [[0, -1.0]]),
        mutate(["cuts", 0], [[0, 1e400]]),
        mutate(["cuts", 0], 1),
        mutate(["proof"], []),
        mutate(["proof"], "pack"),
        mutate(["proof"], ["pack"]),
        mutate(["proof"], ["pack", -1]),
        mutate(["proof"], ["pack", [1]]),
        mutate(["proof"], ["bound"]),
        mutate(["proof"], ["branch", -1, []]),
        mutate(["proof"], ["branch", 0, [], []]),
        mutate(["proof"], ["branch", 0, [[1]]]),
        mutate(["proof"], ["branch", 0, [[True, ["pack", 0]]]]),
        mutate(["proof"], {"branch": 0}),
        mutate(["proof"], _nested(8)),
        mutate(["proof"], _nested(5000)),
    ],
)
def test_malformed_documents_are_rejected_by_name(counted, change):
    _, plan, _ = counted
    document = json.loads(json.dumps(certificate_to_json(plan.certificate)))
    change(document)
    with pytest.raises(CertificateRejected):
        certificate_from_json(document, 7)


@pytest.mark.parametrize("document", [None, [], "text", 1, {}])
def test_something_else_is_no_certificate(document):
    with pytest.raises(CertificateRejected):
        certificate_from_json(document, 5)


def numbers_of(document, path=()):
    """Return the paths of all numbers in a document."""
    if isinstance(document, dict):
        return [found for key, value in document.items() for found in numbers_of(value, (*path, key))]
    if isinstance(document, list):
        return [found for key, value in enumerate(document) for found in numbers_of(value, (*path, key))]
    return [path] if isinstance(document, int | float) and not isinstance(document, bool) else []


def changed_number(rng, number):
    if isinstance(number, int):
        return int(rng.choice([number + 1, number - 1, 0, int(rng.integers(-2, 12))]))
    choices = [
        0.0,
        -number,
        2.0 * number,
        number + 1.0,
        number * (1 + rng.normal()),
        number * (1 + 1e-3 * rng.normal()),
    ]
    choices += [10.0 ** rng.uniform(-30, 30), number * 10.0 ** rng.uniform(-3, 3)]
    return float(choices[int(rng.integers(len(choices)))])


@pytest.mark.parametrize("name", series(list(SMALL), 4))
def test_no_changed_number_passes_as_a_wrong_proof(name):
    # Every number of plan, prescription and certificate: what is accepted bounds the true optimum.
    rng = np.random.default_rng(list(SMALL).index(name))
    problem, dose = SMALL[name], small(int(rng.integers(6)))
    plan = problem.solve(dose, EXACT)
    document = {
        "certificate": certificate_to_json(plan.certificate),
        "prescription": problem.to_tables(),
        "activities": plan.activities_gbq.tolist(),
        "value": plan.goal.value,
    }
    paths = numbers_of(document)
    best, accepted = best_value(problem, dose), 0
    for round_ in range(250):
        changed = copy.deepcopy(document)
        for _ in range(1 if round_ % 2 else int(rng.integers(2, 6))):
            *way, last = paths[int(rng.integers(len(paths)))]
            place = changed
            for key in way:
                place = place[key]
            place[last] = changed_number(rng, place[last])
        try:
            certificate = certificate_from_json(changed["certificate"], 5)
            other = Problem.from_tables(changed["prescription"])
            activities = np.array(changed["activities"])
            verdict = verify(certificate, other.goal, other.limits, dose, activities, changed["value"])
        except PlannerError:
            continue
        accepted += 1
        truth = best if other == problem else best_value(other, dose)
        beyond = verdict.bound - truth if problem.goal.maximized else truth - verdict.bound
        assert beyond >= -1e-8 * max(1.0, truth)
    assert accepted > 5  # numbers that matter little, and bounds that are raised


@pytest.mark.parametrize("seed", series(range(25), 10))
def test_random_problems_against_enumeration(seed):
    rng = np.random.default_rng(700 + seed)
    dose = random_rows(rng, int(rng.integers(2, 6)), int(rng.integers(1, 4)), bool(rng.random() < 0.4), spill=0.02)
    limits = [LungDose(float(rng.choice([0.0, 8.0]))).at_most(gy=25.0)]
    limits.append(TerritoryNormalLiverDose().at_most(gy=40) if rng.random() < 0.4 else WHOLE.at_most(gy=35))
    if rng.random() < 0.6:
        limits.append(InjectionSites().at_most(count=int(rng.integers(1, 4))))
    if rng.random() < 0.3:
        limits.append(MeanDose("T0").at_least(gy=float(rng.uniform(20, 60))))
    if rng.random() < 0.4:
        limits.append(InjectionActivity().at_least(gbq=float(rng.choice([0.1, 0.5]))))
    problem = maximize(WorstTumourMean()).subject_to(*limits)
    best = best_value(problem, dose)
    if not np.isfinite(best):
        return
    plan = problem.solve(dose, EXACT)
    assert plan.certificate is not None, plan.unproved
    bound = checked(plan.certificate, problem, plan, dose).bound
    assert -1e-8 * best <= bound - best <= 2e-5 * max(1.0, best)
