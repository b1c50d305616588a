"""What the panel asks for beside the plan is what the core is asked for; what is missing or wrong is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import slicer_headless

from radioembolization.dose import Uncertainty
from radioembolization.errors import UncertaintyError, VialError
from radioembolization.planning import WholeVials
from radioembolization.treatment import AnalysisRequest, MicrosphereRequest

slicer_headless.require_slicer()
import analysis_cases as cases  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib.asked import (  # noqa: E402
    asked_of,
    missing_of_vials,
    parameters_of_request,
    problem_of_request,
    with_entry,
)
from RadioembolizationPlannerLib.parameters import EVALUATED, ROBUST, PlannerParameters, SiteParameters  # noqa: E402

pytestmark = pytest.mark.slicer

_SITES = tuple(SiteParameters(name) for name in cases.SITES)
_VIALS = {"calibrations": ["2026-03-15T12:00+01:00"], "inject_at": "2026-03-16T12:00+01:00"}


def _asked(**changes):
    return asked_of(PlannerParameters(sites=_SITES, **changes))


def test_nothing_chosen_asks_for_the_explanation_alone(scene):
    asked = _asked()
    assert asked.explanation and asked.uncertainty is None and asked.vials is None and asked.front is None
    assert _asked(uncertainty={"count": 0}, vials={"sizes_gbq": ["nonsense"]}) == asked  # entered, but not used


def test_scenarios_have_the_published_spreads_of_the_device(scene):
    asked = _asked(scenarios=EVALUATED)
    assert asked.uncertainty == Uncertainty.default("resin") and not asked.robust
    asked = _asked(scenarios=ROBUST, device="glass", uncertainty={"seed": 4})
    assert asked.uncertainty == Uncertainty.default("glass", seed=4) and asked.robust


def test_spreads_of_another_device_wait_until_it_is_chosen_again(scene):
    chosen = {"spreads": {"residual_glass": True, "ratio_maa_y90": False}}
    assert _asked(scenarios=EVALUATED, uncertainty=chosen, device="holmium").uncertainty == Uncertainty.default(
        "holmium"
    )
    names = [one.name for one in _asked(scenarios=EVALUATED, uncertainty=chosen, device="glass").uncertainty.spreads]
    assert "residual_glass" in names and "ratio_maa_y90" not in names


def test_hours_of_sites_replace_the_hour_of_all(scene):
    hours = {"left": "2026-03-17T10:00+02:00", "gone": "2026-03-17T10:00+02:00"}
    asked = _asked(with_vials=True, vials={**_VIALS, "inject_at_sites": hours})
    times = {site: at.isoformat() for site, at in asked.vials.inject_at.items()}
    assert times == dict.fromkeys(("proper", "right"), "2026-03-16T12:00:00+01:00") | {
        "left": "2026-03-17T10:00:00+02:00"
    }


def test_numbers_of_vials_are_those_of_the_device(scene):
    both = {**_VIALS, "vials_per_site": 2, "most_vials": 3}
    assert _asked(with_vials=True, vials=both).vials.calendar.supply.most_vials == 3
    assert _asked(with_vials=True, vials=both, device="glass").vials.calendar.supply == WholeVials(2)


def test_a_request_comes_back_as_it_was(scene):
    request = cases.request()
    again = _asked(**parameters_of_request(request))
    assert again.vials.inject_at == request.vials.inject_at and again.robust
    assert replace(again.vials.calendar, source="") == replace(request.vials.calendar, source="")
    assert (again.front, again.staircase, again.uncertainty) == (request.front, True, request.uncertainty)


def test_whole_microspheres_pass_through_the_parameters(scene):
    request = AnalysisRequest(microspheres=MicrosphereRequest(12, 5))
    again = PlannerParameters(sites=_SITES, **parameters_of_request(request))
    assert asked_of(again) == request and problem_of_request(again) == ""
    other = replace(again, further=with_entry(again.further, "front", True))  # as the box of section 5 does
    assert asked_of(other).microspheres == request.microspheres
    assert "not 0" in problem_of_request(replace(again, further={"microspheres": 0}))


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"calibrations": ["2026-03-15T12:00"]}, VialError, "has no time zone"),
        ({"time_zone": "Middle/Earth"}, VialError, "Unknown time zone 'Middle/Earth'"),
        ({"calibrations": ["Sunday"]}, VialError, "is no date with a time"),
        ({"inject_at": "2026-03-16T12:00"}, VialError, "inject_at of site 'proper'"),
    ],
)
def test_wrong_vials_are_named(scene, changes, error, told):
    parameters = PlannerParameters(sites=_SITES, with_vials=True, vials={**_VIALS, **changes})
    with pytest.raises(error, match=told):
        asked_of(parameters)
    assert told in problem_of_request(parameters)


def test_wrong_scenarios_are_named(scene):
    with pytest.raises(UncertaintyError, match="number of scenarios must be 1 to"):
        _asked(scenarios=EVALUATED, uncertainty={"count": 0})


def test_missing_times_are_told(scene):
    lacking = missing_of_vials(PlannerParameters(sites=_SITES, with_vials=True))
    assert len(lacking) == 2 and "calibrated" in lacking[0] and "injection" in lacking[1]
    assert missing_of_vials(PlannerParameters(sites=_SITES)) == ()
