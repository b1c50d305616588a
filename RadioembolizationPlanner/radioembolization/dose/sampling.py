"""Drawing scenarios from spreads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from radioembolization.dose.distributions import truncated_quantile
from radioembolization.dose.scenario_basis import ScenarioBasis
from radioembolization.dose.scenarios import Draws, Scenarios
from radioembolization.dose.spreads import ActsOn, Spread
from radioembolization.dose.uncertainty import Uncertainty
from radioembolization.errors import UncertaintyError

Values = Callable[[ActsOn, int], np.ndarray | None]
#: Shunt and extrahepatic share together stay below this.
_MOST_GONE = 0.95
#: Added to the seed of a plan for scenarios that were not used in planning.
FRESH = 1_000_003


def draw(basis: ScenarioBasis, uncertainty: Uncertainty, vial_of_site: Sequence[int] | None = None) -> Scenarios:
    """Return the scenarios of an uncertainty: the same for the same seed."""
    rng = np.random.default_rng(uncertainty.seed)
    found = sample_scenarios(basis, uncertainty.spreads, uncertainty.count, rng, vial_of_site)
    return replace(found, seed=uncertainty.seed)


def fresh(basis: ScenarioBasis, uncertainty: Uncertainty, count: int = 1000) -> Scenarios:
    """Return scenarios of the same spreads that were not used in planning."""
    return draw(basis, replace(uncertainty, count=count, seed=uncertainty.seed + FRESH))


def sample_scenarios(
    basis: ScenarioBasis,
    spreads: Sequence[Spread],
    count: int,
    rng: np.random.Generator,
    vial_of_site: Sequence[int] | None = None,
) -> Scenarios:
    """Draw scenarios.

    Each spread has random numbers of its own, so that leaving one out does not change the others.

    Parameters
    ----------
    basis : ScenarioBasis
    spreads : sequence of Spread
        At most one for everything they act on.
    count : int
    rng : numpy.random.Generator
    vial_of_site : sequence of int, optional
        Number of the vial that each site (sites,) is injected from; without it every site has its own.

    Raises
    ------
    UncertaintyError
        If there are zero scenarios, a spread is for another device, or too wide for what is physical.
    """
    if count < 1:
        raise UncertaintyError(f"{count} scenarios were asked for: draw at least one.")
    for one in spreads:
        one.check_device(basis.settings.device.name)
    streams = dict(zip(ActsOn, rng.spawn(len(ActsOn)), strict=True))
    by_action = {one.acts_on: one for one in spreads}
    sites, tumours = len(basis.site_names), len(basis.tumour_names)
    planned = Draws.as_planned(basis, count)

    def values(what: ActsOn, size: int) -> np.ndarray | None:
        found = by_action.get(what)
        return None if found is None else found.distribution.quantile(streams[what].random((count, size)))

    def or_planned(what: ActsOn, shown: np.ndarray) -> np.ndarray:
        found = values(what, shown.shape[1])
        return shown if found is None else found

    liver = values(ActsOn.LIVER_VOLUME, 1)
    return Scenarios(
        basis,
        Draws(
            lung_shunt=_shunts(basis, by_action.get(ActsOn.LUNG_SHUNT), streams[ActsOn.LUNG_SHUNT], planned),
            extrahepatic_share=planned.extrahepatic_share,
            ratio_factor=or_planned(ActsOn.RATIO, planned.ratio_factor),
            flow_factor=or_planned(ActsOn.FLOW, planned.flow_factor),
            catheter_share=or_planned(ActsOn.CATHETER, planned.catheter_share),
            scale=_scales(by_action, values, count, _vials(vial_of_site, sites)),
            shift_mm=or_planned(ActsOn.SHIFT, planned.shift_mm),
            tumour_factor=_volumes(by_action.get(ActsOn.TUMOUR_VOLUME), streams[ActsOn.TUMOUR_VOLUME], count, tumours),
            liver_factor=planned.liver_factor if liver is None else liver[:, 0],
        ),
    )


def _shunts(basis: ScenarioBasis, spread: Spread | None, rng: np.random.Generator, planned: Draws) -> np.ndarray:
    """Return lung shunts (scenarios, sites): one draw for all sites, in percentage points, cut at what is possible."""
    if spread is None:
        return planned.lung_shunt
    probability = np.repeat(rng.random((len(planned), 1)), len(basis.site_names), axis=1)
    numbers, most = spread.numbers, _MOST_GONE - basis.extrahepatic_share
    change = truncated_quantile(
        probability,
        numbers["mean"] / 100.0,
        numbers["sd"] / 100.0,
        -basis.lung_shunt,
        np.maximum(most - basis.lung_shunt, 0.0),
    )
    return basis.lung_shunt + change


def _scales(by_action: dict[ActsOn, Spread], values: Values, count: int, vials: np.ndarray) -> np.ndarray:
    """Return the activity that reaches the patient over that planned (scenarios, sites)."""
    scale = np.ones((count, len(vials)))
    residual = values(ActsOn.RESIDUAL, len(vials))
    if residual is not None:  # prepared for the median residual
        scale *= (1.0 - residual) / (1.0 - by_action[ActsOn.RESIDUAL].numbers["median"])
    common = values(ActsOn.CALIBRATION, 1)
    if common is not None:
        scale *= 1.0 + common
    of_vial = values(ActsOn.VIAL, int(vials.max()) + 1)
    if of_vial is not None:
        scale *= 1.0 + of_vial[:, vials]
    return scale


def _volumes(spread: Spread | None, rng: np.random.Generator, count: int, tumours: int) -> np.ndarray:
    """Return factors on the tumour volumes (scenarios, tumours), partly common to all as of one observer."""
    if spread is None:
        return np.ones((count, tumours))
    share = spread.numbers.get("common_share", 0.0)
    common, own = rng.standard_normal((count, 1)), rng.standard_normal((count, tumours))
    together = np.sqrt(share) * common + np.sqrt(1.0 - share) * own
    return spread.distribution.quantile(special.ndtr(together))


def _vials(vial_of_site: Sequence[int] | None, sites: int) -> np.ndarray:
    if vial_of_site is None:
        return np.arange(sites)
    vials = np.asarray(vial_of_site, dtype=np.int64)
    if vials.shape != (sites,) or vials.min(initial=0) < 0:
        raise UncertaintyError(f"Vials are one number of zero or more for each of the {sites} sites.")
    return vials
