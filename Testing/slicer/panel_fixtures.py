"""The whole panel as a fixture: on an empty scene, and with the small case."""

from __future__ import annotations

from typing import Any

import pytest
from hands import bare_nodes
from panel_driver import Panel

from small_case import small_inputs


@pytest.fixture
def panel(scene: Any, slicer_widgets: Any, qt_app: Any) -> Panel:
    """The panel on an empty scene."""
    import slicer_module_standins

    slicer_module_standins.install()
    import RadioembolizationPlanner

    return Panel(slicer_widgets(RadioembolizationPlanner.RadioembolizationPlannerWidget, 560, 1800), qt_app)


@pytest.fixture
def small(panel: Panel, scene: Any) -> Panel:
    """The small case chosen in every section by the program."""
    from RadioembolizationPlannerLib.synthetic import take_case

    inputs = small_inputs()
    take_case(panel.session, inputs, bare_nodes(scene, inputs))
    panel.idle()
    return panel
