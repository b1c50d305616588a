"""The part of the arteries: a tree from what the scene holds, its sites, what they reach, and points that are moved."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from artery_case import small_tree
from hands import pick, texts_of

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


def test_first(small, scene):
    from RadioembolizationPlannerLib.arteries import publish_tree

    small.ui("Arteries").arteriesButton.collapsed = False
    small.session.change(arteries=publish_tree(scene, small_tree(), (), "by hand"))
    small.spin()
    small.click("Arteries", "offerSitesButton")
    small.idle()
    print(small.session.status)
    print(texts_of(small.ui("Arteries").coverageTable))
    print(small.ui("Arteries").arteriesSitesLabel.text)
    print([ (s.name,s.segment_id,s.extrahepatic_share) for s in small.parameters.sites])
    inputs = small.session.inputs()
    print([(s.name,s.upstream,dict(s.outflow),s.position_lps_mm) for s in inputs.sites])
    small.widget.parent.grab().save("/tmp/slicerH1/panel.png") if hasattr(small.widget.parent,"grab") else None
