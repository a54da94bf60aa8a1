"""The sample that a re-distillation learns from, and when its last move was made."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from coffey.control.fresh import Recent, sample_recent
from coffey.control.redistill import is_settled, redistill
from coffey.core.errors import EmptyData
from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.core.records import Audit
from coffey.data.split import in_validation
from coffey.project.ticking import make_loop
from coffey.registry.journal import JournalRegistry
from coffey.registry.protocol import CHALLENGER
from coffey.registry.version import Version


def audited(text):
    return Audit("r", 0.0, "m", input_key(text), text, "a", "b", False, 0.9, 0.5, "t")


TEXTS = [f"text number {index}" for index in range(1000)]


def sample(texts=TEXTS, audits=(), *, limit=400, share=0.4, without=(), seed=17):
    recent = Recent(Counter(texts), [audited(t) for t in audits])
    keys = frozenset(map(input_key, without))
    return sample_recent(recent, limit=limit, judge_share=share, without=keys, seed=seed)


def test_learning_and_judging_share_no_text():
    """The limit holds for what is learned from; all texts on the other side judge, in a random order."""
    fresh = sample()
    assert not set(fresh.learn) & set(fresh.judge)
    assert 200 <= len(fresh.learn) <= 280
    assert 350 <= len(fresh.judge) <= 450
    assert fresh.judge == sample(limit=1000).judge
    assert list(fresh.judge) != sorted(fresh.judge)


def test_the_first_judges_are_a_sample():
    """A promise is measured on the first of them, each with its requests."""
    fresh = sample(TEXTS + TEXTS[:300])
    assert fresh.first(50) == type(fresh)(fresh.learn, fresh.judge[:50], fresh.counts[:50])
    assert fresh.first(10_000) == fresh


def test_the_sample_depends_on_the_texts_alone():
    """Neither the order nor repeats of requests change it: a text is asked once. Repeats weigh in judging."""
    repeated, once = sample(TEXTS[::-1] + TEXTS[:300]), sample()
    assert (repeated.learn, repeated.judge) == (once.learn, once.judge)
    assert repeated.counts == tuple(2 if text in TEXTS[:300] else 1 for text in once.judge)
    assert sample(seed=18) != sample()


def test_answers_that_are_paid_for_are_learned_beyond_the_limit():
    """All audited texts are learned from, but those on the side that judges, now or in a later run."""
    fresh, whole = sample(audits=TEXTS[:500], limit=100), sample(limit=1000)
    assert set(TEXTS[:500]) - set(whole.judge) <= set(fresh.learn)
    assert not set(fresh.learn) & set(whole.judge)
    assert set(fresh.judge) <= set(whole.judge)


def test_some_fresh_texts_choose_the_best_weights():
    """Who judges is drawn independently of the validation split."""
    learn = sample(limit=1000).learn
    chosen = [text for text in learn if in_validation(input_key(text), share=0.1, seed=17)]
    assert 0.05 < len(chosen) / len(learn) < 0.15


def test_what_the_champion_has_learned_does_not_judge():
    """A text of the transfer set that is served again is no evidence."""
    recent = Recent(Counter(TEXTS), [])
    learned = frozenset(map(input_key, TEXTS[:500]))
    fresh = sample_recent(recent, limit=1000, judge_share=0.4, without=frozenset(), seed=17, learned=learned)
    assert not set(TEXTS[:500]) & set(fresh.judge)


def test_the_old_holdout_is_never_learned_from():
    """Texts of the holdout are left out wherever they come from."""
    fresh = sample(audits=TEXTS[:50], without=TEXTS[:100])
    assert not set(TEXTS[:100]) & {*fresh.learn, *fresh.judge}


def test_without_traffic_there_is_no_sample():
    """Nothing in, nothing out; the caller says that it is too little."""
    fresh = sample([])
    assert (fresh.learn, fresh.judge) == ((), ())


def test_nothing_to_learn_from_is_an_error(live):
    """No traffic, or a champion whose checkpoint is unknown: told before anything is trained."""
    space = live.load().workspace
    champion, tools = space.registry.resolve("champion"), make_loop(space).tools(Silent())
    with pytest.raises(EmptyData, match="too few distinct requests"):
        redistill("run", champion, Recent({}, []), tools, Silent())
    recent = Recent(Counter(live.new(60, seed=121)), [])
    with pytest.raises(EmptyData, match="does not say where its checkpoint is"):
        redistill("run", replace(champion, student=None), recent, tools, Silent())
    assert not (live.store / "stages" / "redistill-run").exists()


@pytest.fixture
def registry(tmp_path):
    made = JournalRegistry(tmp_path)
    for name in ("one", "two"):
        made.add(Version(name, name * 8, f"artifacts/{name}"), who="test")
    made.promote("one", evidence={}, who="test")
    made.move({CHALLENGER: "two"}, expected={CHALLENGER: None}, evidence={"redistill": "run"}, who="tick")
    return made


def test_a_run_is_settled_by_a_promotion(registry):
    """Making a challenger settles nothing; promoting it does, for this run alone."""
    assert not is_settled("run", registry)
    registry.promote("two", evidence={"redistill": "run"}, who="tick")
    assert is_settled("run", registry)
    assert not is_settled("another", registry)
    registry.rollback(who="someone", reason="")
    assert is_settled("run", registry)


def test_a_run_is_settled_by_sending_its_challenger_away(registry):
    """Keeping the champion is a last move as well; that of someone else is not this run's."""
    registry.move({CHALLENGER: None}, expected={CHALLENGER: "two"}, evidence={}, who="someone")
    assert not is_settled("run", registry)
    registry.move({CHALLENGER: None}, expected={CHALLENGER: None}, evidence={"redistill": "run"}, who="tick")
    assert is_settled("run", registry)


def test_the_sample_of_a_run_is_kept(mended):
    """What was learned from and judged by can be read back, distinct and without the holdout."""
    (path,) = mended.project.store.glob("control/redistill/*/sample.json")
    kept = json.loads(path.read_bytes())
    lines = (mended.project.folder / "holdout.jsonl").read_text().splitlines()
    holdout = [json.loads(line)["text"] for line in lines]
    every = [*kept["learn"], *kept["judge"]]
    assert len(every) == len(set(every))
    assert mended.report.redistilled.labelled == len(kept["learn"]) + 160
    assert mended.report.redistilled.comparison.requests == sum(kept["counts"])
    assert not set(every) & set(holdout)
    assert set(every) <= set(mended.project.new(500, seed=6)), "only traffic since the change"


def test_the_challenger_says_where_it_comes_from(mended):
    """Lineage: the champion's digest, the teacher, one stage that started from the champion."""
    registry = mended.project.load().workspace.registry
    new, old = (registry.resolve(name) for name in ("champion", "previous"))
    manifest = json.loads((mended.project.store / new.artifact / "manifest.json").read_bytes())
    assert manifest["lineage"]["previous"] == new.lineage["previous"] == old.digest
    assert [stage["name"] for stage in manifest["lineage"]["stages"]] == ["redistilled"]
    assert new.student != old.student
