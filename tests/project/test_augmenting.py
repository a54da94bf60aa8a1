"""Made texts are answered by the teacher, trained on, and never judged by."""

from __future__ import annotations

import pytest

from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.core.records import Example
from coffey.data.leakage import find_leaks
from coffey.project.augmenting import augment_data
from coffey.project.distilling import chain_request, prepare
from coffey.project.transfer import read_data


@pytest.fixture
def augmented(untouched):
    """The small project with two made texts for each that is trained on."""
    untouched.edit("[data]\n", "[data]\naugment = 2\n")
    return untouched


def _both(project):
    settings = project.load().workspace.settings
    plain = read_data(settings, Silent())
    return settings, plain, augment_data(settings, plain)


def test_without_the_setting_the_data_is_as_it_was_read(untouched):
    """The default makes nothing."""
    _, plain, data = _both(untouched)
    assert data is plain


def test_made_texts_have_no_label_and_never_judge(augmented):
    """The validation split and the holdout are what they were; the run is another one."""
    settings, plain, data = _both(augmented)
    share, seed = settings.chain.validation, settings.chain.seed
    before, after = (one.validation(share=share, seed=seed) for one in (plain, data))
    assert (after[: len(before)] == before).all()
    assert not after[len(before) :].any()
    assert data.transfer.hard[len(before) :] == (None,) * data.report.augmented
    assert data.holdout == plain.holdout
    assert data.digest() != plain.digest()
    assert 0 < data.report.augmented <= 2 * int((~before).sum())


def test_made_texts_stand_in_no_set_and_not_nearly_in_the_holdout(augmented):
    """As for texts that were read."""
    settings, plain, data = _both(augmented)
    made = [text for text in data.transfer.texts if input_key(text) in data.made]
    assert len(made) == data.report.augmented
    assert not set(made) & {*plain.transfer.texts, *plain.holdout.texts}
    examples, held = ([Example(text) for text in texts] for texts in (made, plain.holdout.texts))
    assert not find_leaks(examples, held, near_duplicate=settings.data.near_duplicate).leaking


def test_the_teacher_answers_made_texts_within_the_same_budget(augmented):
    """Its own answer to each; asked once, paid for, counted; a second run makes and asks nothing new."""
    first = augmented.load().label()
    made = first.data.augmented
    assert (first.labels, first.asked) == (60 + made, 90 + made)
    assert first.usd == pytest.approx((90 + made) / 1000)
    second = augmented.load().label()
    assert (second.asked, second.digest) == (0, first.digest)


def test_the_plan_counts_what_made_texts_cost(untouched):
    """Two for each of nine tenths: 2.8 times the rows."""
    before = untouched.load().plan()
    untouched.edit("[data]\n", "[data]\naugment = 2\n")
    after = untouched.load().plan()
    assert after["run_usd"] > before["run_usd"]


def test_made_texts_take_the_place_of_repeats(augmented):
    """As many steps as without them: passes over the larger set are fewer."""
    space = augmented.load().workspace
    lesson = prepare(space)
    request = chain_request(space, lesson, space.folder)
    passes = request.settings.epochs * len(request.texts)
    assert passes == pytest.approx(space.settings.chain.epochs * (len(request.texts) - len(lesson.data.made)))
