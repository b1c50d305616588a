"""The pages of the Slicer module name what the panel has; the walk itself is Testing/slicer/test_tutorial.py."""

import re
import struct
import xml.etree.ElementTree as ElementTree

import pytest

from support import REPOSITORY

DOCS = REPOSITORY / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "slicer-module.md").read_text(encoding="utf-8")
UI = REPOSITORY / "RadioembolizationPlanner" / "Resources" / "UI"
FIGURES = DOCS / "figures" / "tutorial"


def texts_of_controls(path):
    """The texts of buttons, boxes and labels of a .ui file."""
    for widget in ElementTree.parse(path).iter("widget"):
        text = widget.findtext("property[@name='text']/string")
        if text and widget.get("class") != "ctkCollapsibleButton":
            yield text.rstrip(":")


def section_of_page(path):
    """The part of the reference about the section of a .ui file, or about a part of a section."""
    for widget in ElementTree.parse(path).iter("widget"):
        if widget.get("class") == "ctkCollapsibleButton":
            title = " ".join(widget.findtext("property[@name='text']/string").split())
            found = re.search(rf"^###? {re.escape(title)}\n(.*?)(?=^###? |\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
            assert found, f"docs/slicer-module.md has no section '{title}'"
            return found.group(1)
    raise AssertionError(f"{path.name} has no title")


@pytest.mark.parametrize("path", sorted(UI.glob("*Section.ui")), ids=lambda path: path.stem)
def test_every_control_of_the_panel_is_described(path):
    page, texts = section_of_page(path), list(texts_of_controls(path))
    assert page.strip()
    assert not [text for text in texts if f"*{text}*" not in page]


def test_the_reference_names_no_section_that_is_not_there():
    titles = re.findall(r"^(?:## \d|### ).*$", REFERENCE, re.MULTILINE)
    assert len(titles) == len(list(UI.glob("*Section.ui")))


def test_every_picture_is_shown_and_every_shown_picture_is_there():
    shown = set(re.findall(r"figures/tutorial/([\w-]+\.png)", TUTORIAL))
    assert shown == {path.name for path in FIGURES.iterdir()}


def test_pictures_are_small_png_files_with_a_palette():
    paths = list(FIGURES.iterdir())
    for path in paths:
        header = path.read_bytes()[:26]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        width, height, _depth, color = struct.unpack(">IIBB", header[16:26])
        assert color == 3 and 300 < width < 2000 and 100 < height < 4600, path.name  # the whole panel is long
    assert sum(path.stat().st_size for path in paths) < 1_500_000


def test_pictures_have_words_for_those_who_cannot_see_them():
    assert "![](" not in TUTORIAL
    assert all("alt=" in tag for tag in re.findall(r"<img [^>]*>", TUTORIAL))


def test_readme_leads_to_the_tutorial_and_shows_the_module():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "docs/tutorial.md" in readme and "docs/figures/tutorial/module.png" in readme
    assert "not yet run in desktop Slicer" in readme and "5.12" in readme


def test_links_within_the_page_lead_to_headings():
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TUTORIAL, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TUTORIAL)) <= headings


def test_research_use_only():
    for page in (TUTORIAL, REFERENCE):
        assert "research use only" in page.lower() and "not yet been run in desktop Slicer" in page
