"""What the Slicer Extensions Index checks before it takes an extension, checked here.

The conditions are those of ``scripts/check_description_files.py`` and of the description schema 1.0.2 in the
repository Slicer/ExtensionsIndex, restated.  Not checked, because they need the public repository: the topic
``3d-slicer-extension`` and that the addresses answer.
"""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support import REPOSITORY

NAME = "RadioembolizationPlanner"
ENTRY = REPOSITORY / "Resources" / "index" / f"{NAME}.json"
CMAKE = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
#: Keys that the schema knows, with their types; others are refused.
KEYS = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "dicom_support_rule": str,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = {"$schema", "category", "scm_url"}
#: The accepted categories that fit; the list is closed.
CATEGORIES = {"Nuclear Medicine", "Planning", "Radiotherapy"}
LICENSE_NAMES = ("LICENSE", "LICENCE", "License.txt", "license.txt", "LICENSE.txt", "COPYING", "COPYING.txt")


@pytest.fixture(scope="module")
def entry() -> dict:
    return json.loads(ENTRY.read_text(encoding="utf-8"))


def _variable(name: str) -> str:
    """Return a variable as the index reads it: one quoted value, found by regular expression."""
    (value,) = re.findall(rf'set\s*\({name}\s*"([^"]+)"\)', CMAKE, flags=re.IGNORECASE)
    return value


def _in_repository(address: str) -> Path:
    """Return the file that a raw address on the main branch shows."""
    start = f"https://raw.githubusercontent.com/{NAME}/Slicer{NAME}/main/"
    assert address.startswith(start), address
    return REPOSITORY / address.removeprefix(start)


def test_entry_fits_the_schema(entry):
    assert set(entry) >= REQUIRED and set(entry) <= set(KEYS)
    for key, value in entry.items():
        assert type(value) is KEYS[key], key
    assert re.fullmatch(
        r"https://raw\.githubusercontent\.com/Slicer/Slicer/main/Schemas/\S+-v1\.0\.2\.json#", entry["$schema"]
    )
    assert 1 <= entry["tier"] <= 5


def test_entry_has_unix_line_ends():
    assert b"\r" not in ENTRY.read_bytes()


def test_names_of_extension_and_repository(entry):
    assert ENTRY.stem == re.findall(r"project\s*\(\s*([^\s)]+)", CMAKE, flags=re.IGNORECASE)[0]
    assert not ENTRY.stem.lower().startswith("slicer")
    address = urlsplit(entry["scm_url"])
    assert address.scheme in ("git", "https")
    assert address.path.split("/")[-1].removesuffix(".git").startswith("Slicer")


def test_category_and_tier_are_the_same_in_both_places(entry):
    assert entry["category"] in CATEGORIES
    assert _variable("EXTENSION_CATEGORY") == entry["category"]
    assert _variable("EXTENSION_TIER") == str(entry["tier"])


def test_dependencies_are_the_same_in_both_places(entry):
    """None: otherwise the index skips its packaging check."""
    assert entry["build_dependencies"] == []
    assert _variable("EXTENSION_DEPENDS") == "NA"
    assert not [path for suffix in ("cxx", "h") for path in _tracked(f"*.{suffix}")]


@pytest.mark.parametrize(("variable", "size"), [("EXTENSION_ICONURL", (128, 128)), ("EXTENSION_SCREENSHOTURLS", None)])
def test_addresses_of_pictures_lead_to_png_files_of_the_repository(variable, size):
    for address in _variable(variable).split():
        header = _in_repository(address).read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n", address
        assert size is None or struct.unpack(">II", header[16:24]) == size


def test_no_value_is_cut_by_cmake():
    """Slicer hands the values on unquoted; what follows a semicolon gets lost."""
    values = dict(re.findall(r'set\((EXTENSION_\w+) "([^"]*)"\)', CMAKE))
    assert len(values) >= 9
    assert not [name for name, value in values.items() if ";" in value]
    assert "Research use only, not a medical device" in values["EXTENSION_DESCRIPTION"]


def test_license_is_where_the_index_looks():
    assert [name for name in LICENSE_NAMES if (REPOSITORY / name).is_file()]


def test_readme_has_a_picture_a_sentence_per_module_a_license_and_a_citation():
    """Asked for by the reviewers."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme) or ["no picture"]:
        assert (REPOSITORY / picture).is_file(), picture
    for heading in ("## Modules", "## How to cite", "## Licen[cs]e"):
        assert re.search(f"^{heading}$", readme, flags=re.MULTILINE), heading
    assert f"- **{NAME}**: " in readme


def test_clone_is_small_enough():
    """At most 100 MB with the history; a third of that is kept."""
    objects = _git("count-objects", "-v")
    packed_kib = sum(int(n) for n in re.findall(r"^(?:size|size-pack): (\d+)$", objects, flags=re.MULTILINE))
    files = sum((REPOSITORY / path).stat().st_size for path in _tracked() if (REPOSITORY / path).is_file())
    assert packed_kib / 1024 + files / 2**20 < 33.0


def _tracked(*patterns: str) -> list[str]:
    return _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns).split("\0")[:-1]


def _git(*arguments: str) -> str:
    """Return the answer of git; skip where this is no clone."""
    try:
        run = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this is no clone of the repository: {error}")
    return run.stdout
