"""Rows of sessions: which sites may be injected when."""

import numpy as np
import pytest

from course_cases import holmium, two_lesions
from radioembolization.course.lesion_bed import lesion_rows
from radioembolization.course.sessions import Session, rows_of_sessions
from radioembolization.errors import TerritoryError
from support import random_rows


def test_sites_of_one_session_are_the_rows_of_the_case():
    dose = two_lesions()
    whole = rows_of_sessions(dose, (Session("whole liver"),))
    assert whole.dose is dose
    assert whole.session_of.tolist() == [0, 0]
    assert whole.site_of.tolist() == [0, 1]
    assert whole.allowed.all()
    # Lobes share no site, so nothing is copied either, in whatever order.
    lobes = rows_of_sessions(dose, (Session("left", ("2",)), Session("right", ("1",))))
    assert lobes.dose is dose
    assert lobes.session_of.tolist() == [1, 0]
    one = rows_of_sessions(dose, (Session("left", ("2",)),))
    assert one.dose is dose
    assert one.allowed.tolist() == [False, True]


def test_a_site_of_two_sessions_has_two_rows():
    dose = holmium(random_rows(np.random.default_rng(1), 3, 2))
    rows = rows_of_sessions(dose, (Session("first", ("1", "3")), Session("again", ("3",))))
    assert rows.dose.site_names == ("1", "2", "3 (first)", "3 (again)")
    assert rows.site_of.tolist() == [0, 1, 2, 2]
    assert rows.session_of.tolist() == [0, 0, 0, 1]
    assert rows.allowed.tolist() == [True, False, True, True]
    for name in ("rows", "perfused", "lung_shunt", "lung_gy_per_gbq", "emitted_j_per_gbq", "absorbed_j_per_gbq"):
        assert np.array_equal(getattr(rows.dose, name), getattr(dose, name)[[0, 1, 2, 2]]), name
    assert rows.dose.extrahepatic_share is None
    # Tumours have the same parts as in the case: those of the site of no session count too.
    tumours = dict.fromkeys(("T0", "T1"))
    for name, block in lesion_rows(dose, tumours).items():
        assert lesion_rows(rows.dose, tumours)[name] == pytest.approx(block[:, [0, 1, 2, 2]])


def test_bad_sessions():
    with pytest.raises(TerritoryError, match="at least one session"):
        rows_of_sessions(two_lesions(), ())
    with pytest.raises(TerritoryError, match=r"Session 'right' names \['5'\], which are no sites: use 1, 2"):
        rows_of_sessions(two_lesions(), (Session("right", ("1", "5")),))
