"""Run the tests of the module inside desktop Slicer and exit with 0 only if some ran and all passed.

From the folder of the repository, once the packages of the planner are in Slicer's Python::

    PythonSlicer -m pip install -r RadioembolizationPlanner/Resources/requirements.txt
    Slicer --testing --no-splash --no-main-window --additional-module-path RadioembolizationPlanner \
        --python-script Testing/slicer/desktop/self_test.py --result self_test.json

``Slicer`` and ``bin/PythonSlicer`` are in Slicer's folder.  Leave out ``--no-main-window`` to run with windows.
``--testing`` keeps Slicer's settings as they are and makes errors fail instead of opening a dialog.  A skipped
test counts as a failure, unless ``--allow-skipped`` is given and at least one other test passed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODULE = "RadioembolizationPlanner"


def main(arguments: Sequence[str]) -> int:
    """Run the self-test and return the exit code; whatever goes wrong, it is not 0."""
    parser = argparse.ArgumentParser(prog="self_test.py", description="Run the module's tests inside Slicer.")
    parser.add_argument("--result", type=Path, help="write the outcome into this JSON file")
    parser.add_argument("--allow-skipped", action="store_true")
    options = parser.parse_args(arguments)
    try:
        outcome = run(tests_of_the_module(), options.allow_skipped)
    except Exception as error:
        logging.exception("The self-test could not run.")
        outcome = {"passed": False, "reason": f"{type(error).__name__}: {error}"}
    if options.result:
        options.result.write_text(json.dumps(outcome, indent=2) + "\n", encoding="utf-8")
    logging.log(logging.INFO if outcome["passed"] else logging.ERROR, "Self-test of %s: %s", MODULE, outcome)
    return 0 if outcome["passed"] else 1


def tests_of_the_module() -> unittest.TestSuite:
    """Return the ``test...`` methods in the file of the module, which Slicer must have loaded.

    A class without any has none: the inherited ``runTest`` would pass without having tested anything.
    """
    import slicer

    if not hasattr(slicer.modules, MODULE.lower()):
        raise RuntimeError(f"Slicer has not loaded {MODULE}: give its folder with --additional-module-path")
    case = getattr(importlib.import_module(MODULE), f"{MODULE}Test")
    return unittest.TestSuite(case(name) for name in unittest.TestLoader().getTestCaseNames(case))


def run(suite: unittest.TestSuite, allow_skipped: bool = False) -> dict[str, Any]:
    """Run tests and return what came of them."""
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(suite)
    skipped = {test.id(): reason for test, reason in result.skipped}
    done = result.testsRun - len(skipped)
    passed = result.wasSuccessful() and done > 0 and (allow_skipped or not skipped)
    failed = [test.id() for test, _trace in [*result.failures, *result.errors]]
    return {"passed": passed, "run": done, "failed": failed, "skipped": skipped}


if __name__ == "__main__":
    code = 1
    try:
        code = main(sys.argv[1:])
    except SystemExit as error:  # of argparse
        code = error.code if isinstance(error.code, int) else 1
    finally:
        import slicer

        slicer.util.exit(code)
