"""Plan a case file in Slicer without a window and keep the scene.

::

    Slicer --no-splash --no-main-window --additional-module-path RadioembolizationPlanner \
        --python-script Testing/slicer/desktop/headless_plan.py case.toml plan.mrb

The bundle holds images, segments, candidate sites, the dose, the tables and the planned injections; open it in
Slicer.  Without a case file, the synthetic patient is planned: give only ``plan.mrb``.  The packages of the planner
must be in Slicer's Python: ``PythonSlicer -m pip install -r RadioembolizationPlanner/Resources/requirements.txt``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any


def plan_in_scene(scene: Any, case_file: Path | None = None) -> tuple[str, ...]:
    """Put a case into a scene, plan it from its nodes, put the plan beside it; return the plan's explanation.

    Imports stand here so that every failure ends with an exit code.
    """
    from radioembolization.files import read_case
    from radioembolization.phantom import synthetic_case
    from radioembolization.treatment import plan_treatment, prepare
    from RadioembolizationPlannerLib.publish import publish_case
    from RadioembolizationPlannerLib.publish_plan import publish_plan
    from RadioembolizationPlannerLib.scene import read_again

    inputs = synthetic_case() if case_file is None else read_case(case_file)
    nodes = publish_case(scene, inputs)
    treatment = plan_treatment(prepare(read_again(inputs, nodes)))
    publish_plan(scene, treatment, made_at=datetime.now().astimezone())
    return tuple(treatment.plan.explanation)


def main(scene: Any, arguments: Sequence[str]) -> int:
    """Plan, save, and return the exit code."""
    if len(arguments) not in (1, 2):
        logging.error("Give a case file and the bundle to write (case.toml plan.mrb), or only the bundle.")
        return 2
    *case, bundle = (Path(argument) for argument in arguments)
    for line in plan_in_scene(scene, *case):
        logging.info(line)
    if not scene.WriteToMRB(str(bundle)):
        logging.error("'%s' could not be written: does its folder exist, and may it be written to?", bundle)
        return 1
    logging.info("Scene saved to '%s'. Research use only; not a medical device.", bundle)
    return 0


if __name__ == "__main__":
    import slicer

    code = 1
    try:
        code = main(slicer.mrmlScene, sys.argv[1:])
    except Exception:
        logging.exception("No plan was made.")
    finally:
        slicer.util.exit(code)
