"""Robust plans of synthetic patients in scenarios they were not planned with, beside nominal plans."""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib.figure import Figure
from page import FIGURES, figure, table

from radioembolization.dose import Uncertainty, compute_dose_per_gbq, draw, fresh, scenario_basis
from radioembolization.errors import PlannerWarning
from radioembolization.phantom import synthetic_case
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90, Device
from radioembolization.planning import RobustPlan, plan_robustly
from radioembolization.planning.scenario_evaluation import HistogramBand, ScenarioEvaluation
from radioembolization.treatment import prepare

TITLE = "Robust plans in fresh scenarios"
CASES = ((RESIN_Y90, 1), (RESIN_Y90, 2), (RESIN_Y90, 3), (GLASS_Y90, 1), (HOLMIUM_HO166, 1))
COUNT, FRESH_COUNT, SEED = 200, 1000, 1
INTRO = f"""
Synthetic patients (4 mm, at most 4 injections of at least 0.1 GBq, limits of the device's preset for metastases in both
lobes), planned with {COUNT} scenarios of the spreads chosen by default ([uncertainty.md](uncertainty.md)): limits with
95 %, the goal as its mean over the worst 10 % of the scenarios. Both plans are then evaluated in {FRESH_COUNT:,} fresh
scenarios of the same spreads, which were not used in planning (other seed). *Met*: share of the fresh scenarios in
which the limit is met. The goal is the lowest mean dose of any tumour or tumour part [Gy]: as planned, and its tenth
percentile in the fresh scenarios. The robust plan gives up tumour dose as planned, so that the limits hold as often as
promised; the nominal plan may still have the lower tumour dose in bad scenarios (goal P10). The bound of the robust
goal is proved over all choices of sites; the gap is between plan and bound.

"""
COLUMNS = (
    "device",
    "seed",
    "normal-liver limit met: robust",
    "nominal",
    "lung limit met: robust",
    "nominal",
    "goal as planned: robust",
    "nominal",
    "goal P10: robust",
    "nominal",
    "gap",
)


def write() -> str:
    """Plan every case; return the section."""
    plans = {case: _planned(*case) for case in CASES}
    rows = [_row(device, seed, plan) for (device, seed), plan in plans.items()]
    _draw(plans[CASES[0]])
    caption = "Histogram bands (P10 to P90 of 1,000 fresh scenarios; line: median) of the robust and the nominal plan"
    return INTRO + table(COLUMNS, rows) + figure("robust_bands.png", caption)


def _planned(device: Device, seed: int) -> RobustPlan:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlannerWarning)
        case = prepare(synthetic_case(seed, spacing_mm=4.0, device=device))
        settings, territories = case.inputs.settings, case.territories
        uncertainty = Uncertainty.default(device.name, count=COUNT, seed=SEED)
        basis = scenario_basis(territories, settings, uncertainty)
        dose = compute_dose_per_gbq(territories, settings)
        problem = case.inputs.prescription.problem(device)
        new = fresh(basis, uncertainty, FRESH_COUNT)
        return plan_robustly(problem, dose, draw(basis, uncertainty), uncertainty, fresh=new)


def _row(device: Device, seed: int, plan: RobustPlan) -> list[object]:
    robust, nominal = plan.robust_fresh, plan.nominal_fresh
    assert robust is not None and nominal is not None
    goals = [f"{p.goal.value:.1f}" for p in (plan.robust, plan.nominal)]
    tenths = [f"{evaluation.goal.p10:.1f}" for evaluation in (robust, nominal)]
    met = [_met(evaluation, part) for part in ("normal liver", "lungs") for evaluation in (robust, nominal)]
    return [device.name, seed, *met, *goals, *tenths, f"{plan.goal.gap:.0e}"]


def _met(evaluation: ScenarioEvaluation, part: str) -> str:
    """Return the lowest chance of the limits on a part of the body."""
    chances = [c.probability for c in evaluation.limits if part in c.name and c.probability is not None]
    return f"{100 * min(chances):.1f} %" if chances else "no limit"


def _draw(plan: RobustPlan) -> None:
    """Draw the bands of the normal liver and of the tumour that is worst off."""
    robust, nominal = plan.robust_fresh, plan.nominal_fresh
    assert robust is not None and nominal is not None
    worst = min(robust.tumours, key=lambda tumour: tumour.mean_gy.p50).name
    picture = Figure(figsize=(9.0, 4.2), layout="constrained")
    panels = picture.subplots(1, 2, sharey=True)
    for panel, name in zip(panels, ("normal liver", worst), strict=True):
        for evaluation, colour, label in ((nominal, "#d1622b", "nominal"), (robust, "#1f5a96", "robust")):
            band = next(b for b in evaluation.bands if b.name == name)
            panel.fill_between(band.dose_gy, band.p10_percent, band.p90_percent, color=colour, alpha=0.25, linewidth=0)
            panel.plot(band.dose_gy, band.p50_percent, color=colour, linewidth=1.4, label=label)
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("dose [Gy]")
        panel.set_xlim(0.0, _end(nominal, name))
        panel.grid(color="0.92")
    panels[0].set_ylabel("volume that receives at least this dose [%]")
    panels[0].set_ylim(0.0, 101.0)
    panels[1].legend(frameon=False)
    FIGURES.mkdir(exist_ok=True)
    picture.savefig(FIGURES / "robust_bands.png", dpi=110, metadata={"Software": None})


def _end(evaluation: ScenarioEvaluation, name: str) -> float:
    """Return the dose that hardly any voxel of a structure exceeds [Gy]."""
    band: HistogramBand = next(b for b in evaluation.bands if b.name == name)
    beyond = np.flatnonzero(np.array(band.p90_percent) < 1.0)
    return float(band.dose_gy[int(beyond[0])] if len(beyond) else band.dose_gy[-1])
