"""The course of the synthetic patient: uptakes within published ranges, decided by the seed alone."""

import pytest

from radioembolization.course.published_uptake import PUBLISHED
from radioembolization.phantom.course import synthetic_course


@pytest.fixture(scope="module")
def courses():
    return [synthetic_course(seed, spacing_mm=10.0) for seed in (1, 1, 2)]


def uptakes(course):
    return {name: uptake.gy_per_gbq.value for name, uptake in course.uptakes.items()}


def test_the_seed_decides_the_uptakes_whatever_the_spacing(courses):
    first, again, other = map(uptakes, courses)
    assert first == again != other
    finer = uptakes(synthetic_course(1, spacing_mm=8.0))
    assert all(finer[name] == value for name, value in first.items() if name in finer)


def test_uptakes_are_within_published_ranges_and_differ(courses):
    kinds = {"normal liver": "liver", "kidney": "kidney", "marrow": "marrow"}
    for course in courses:
        for name, value in uptakes(course).items():
            low, high = PUBLISHED[kinds.get(name, "lesion")].range_gy_per_gbq
            assert low <= value <= high, name
        hepatic = [uptakes(course)[name] for name in course.hepatic_lesions]
        assert max(hepatic) > 2.0 * min(hepatic)


def test_it_is_named_synthetic_and_has_disease_outside_the_liver(courses):
    course = courses[0]
    assert course.case.synthetic and course.extrahepatic_disease and len(course.extrahepatic_lesions) == 2
    assert all(uptake.gy_per_gbq.source.startswith("synthetic") for uptake in course.uptakes.values())


def test_lobes_are_injected_at_sites_of_their_own(courses):
    right, left = courses[0].session_plans[2]
    assert right.sites and left.sites and not set(right.sites) & set(left.sites)
    assert "right hepatic" in right.sites and "left hepatic" in left.sites
