"""The page about files of structures says what recognition and terminology do."""

import re

import pytest

from radioembolization.structures import Role, terminology
from radioembolization.structures.name_words import role_of_name
from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "structure-files.md").read_text(encoding="utf-8")
ROLES = {"liver": Role.LIVER, "tumour": Role.TUMOUR, "lungs": Role.LUNGS, "other organs": Role.ORGAN, "none": None}
EXAMPLES = re.findall(rf"^\| ({'|'.join(ROLES)}) \| ([^|]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("role", "names"), EXAMPLES, ids=[role for role, _ in EXAMPLES])
def test_examples_of_names_show_their_role(role, names):
    for name in names.replace(" and their names in these languages", "").split(", "):
        assert role_of_name(name) is ROLES[role], name


def test_all_roles_have_examples():
    assert [role for role, _ in EXAMPLES] == list(ROLES)


def test_codes_are_those_we_write():
    table = PAGE[PAGE.index("## Codes we write") :]
    kinds = [value for value in vars(terminology).values() if isinstance(value, terminology.Terminology)]
    assert len(kinds) > 14
    for kind in kinds:
        assert kind.type.value in table and kind.category.meaning in table, kind
    first, *_, last = (segment.type.value for segment in terminology.LIVER_SEGMENTS[1:])
    assert f"{terminology.LIVER_SEGMENTS[0].type.value}, {first} to {last}" in table
