"""A template has the fields it may have, and a text is put in as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.prompt import DEFAULT_TEMPLATE, Prompt, template_problem
from coffey.teacher.request_fields import extra_problem


@given(st.text())
def test_a_text_is_asked_about_as_it_is(text):
    """Braces, fields and all."""
    messages = Prompt(template="{labels}|{text}|{{}}", system="s").messages(text, labels="{text}")
    assert messages == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": f"{{text}}|{text}|{{}}"},
    ]


@pytest.mark.parametrize(
    "template", ["{", "{}", "{0}", "{text.x}", "{text!r}", "{text:>9}", "{labels}", "no field"]
)
def test_templates_that_cannot_be_filled_are_refused(template):
    """Also those that format() would take but that do something else."""
    assert template_problem(template) is not None


def test_the_default_can_be_filled():
    """It shows the labels and the text."""
    assert template_problem(DEFAULT_TEMPLATE) is None
    assert "{labels}" in DEFAULT_TEMPLATE


@pytest.mark.parametrize("extra", ["{", "[]", '{"model": "x"}', '{"n": 3}', '{"stream": true}'])
def test_fields_that_would_change_the_meaning_of_an_answer_are_refused(extra):
    """Or that are no JSON object."""
    assert extra_problem(extra) is not None
