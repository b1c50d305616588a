"""The page on certificates: its example proves what it says, its tables name what there is."""

import json
import re

import pytest

from radioembolization.cli import shared
from support import CORE, REPOSITORY

PAGE = (REPOSITORY / "docs" / "certificate.md").read_text(encoding="utf-8")


def test_the_example_proves_its_bound(capsys):
    (script,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names = {}
    exec(compile(script, "certificate.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "137.1429 Gy, at most 137.1429 Gy" in printed
    assert re.search(r"rejected: The multipliers prove a score of 137\.14\d* ?, not the bound of 137", printed)
    assert names["verdict"].bound == pytest.approx(24 / 7 * 40, abs=1e-4)


def test_entries_and_exit_codes_are_those_of_the_program():
    schema = json.loads((CORE / "files" / "plan.schema.json").read_text(encoding="utf-8"))
    for part in ("certificate", "plane"):
        for entry in schema["$defs"][part]["properties"]:
            assert f"`{entry}`" in PAGE, entry
    codes = [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)]
    assert codes == [shared.DONE, shared.REJECTED, shared.UNPROVED, shared.BAD_INPUT]


def test_the_page_is_linked():
    for page in ("README.md", "docs/plan-file.md", "docs/optimization.md"):
        assert "certificate.md)" in (REPOSITORY / page).read_text(encoding="utf-8"), page
