"""The script for Slicer without its panel in docs/scripting.md runs as it stands there."""

from __future__ import annotations

import re

import pytest
import slicer_headless

from support import REPOSITORY

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.slow]

PAGE = (REPOSITORY / "docs" / "scripting.md").read_text(encoding="utf-8")


@pytest.mark.exhaustive
def test_the_script_plans_certifies_exports_and_saves(scene, monkeypatch, tmp_path):
    import slicer_module_standins

    pytest.importorskip("cvxpy")
    slicer_module_standins.install()
    codes: list[int] = []
    monkeypatch.setattr(slicer.util, "exit", codes.append)
    monkeypatch.chdir(tmp_path)
    (script,) = (text for text in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.M) if "slicer.util" in text)
    names: dict[str, object] = {}
    exec(compile(script, "scripting.md", "exec"), names)
    assert codes == [0]
    assert not names["session"].status.failed
    assert {"plan.json", "report.html", "rtdose.dcm"} <= {path.name for path in (tmp_path / "plan").iterdir()}
    assert (tmp_path / "plan.mrb").stat().st_size > 100_000
    from RadioembolizationPlannerLib.plans import stated_plan

    assert 1 <= len(stated_plan(names["plan"]).plan.used_sites) <= 2


def test_methods_the_page_names_are_there():
    from RadioembolizationPlannerLib.plan_desk import PlanDesk
    from RadioembolizationPlannerLib.session import PlanningSession

    names = set(re.findall(r"session\.(\w+)\(", PAGE))
    assert {"change", "move", "keep_activities"} <= names
    assert not [name for name in names if not hasattr(PlanningSession, name)]
    assert not [name for name in re.findall(r"session\.desk\.(\w+)\(", PAGE) if not hasattr(PlanDesk, name)]
