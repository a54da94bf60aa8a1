"""A teacher of kind openai in `coffey.toml`: what is refused, where the key comes from, a whole `label`."""

from __future__ import annotations

import copy
import json

import pytest
from tests.teacher.loopback import completion, failure, serving

from coffey.core.errors import BudgetExhausted, ConfigError, EmptyData, LabelRejected, TeacherUnavailable
from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.project.configuration import parse_settings
from coffey.project.distilling import prepare
from coffey.project.doctor import examine
from coffey.project.labelling import RECHECKED
from coffey.project.project import Project
from coffey.project.ticking import make_loop
from coffey.project.wiring import build_teacher

DOCUMENT = {
    "project": {"name": "demo"},
    "task": {"labels": ["no", "yes"]},
    "teacher": {"kind": "openai", "source": "little", "endpoint": {"url": "http://127.0.0.1:9/v1"}},
    "data": {"transfer": "train.jsonl", "holdout": "test.jsonl"},
}


def document(**teacher):
    made = copy.deepcopy(DOCUMENT)
    made["teacher"] |= teacher
    return made


def problems(made):
    with pytest.raises(ConfigError) as caught:
        parse_settings(made, "coffey.toml")
    return {problem.key: str(problem) for problem in caught.value.problems}


def endpoint(**values):
    return document(endpoint=DOCUMENT["teacher"]["endpoint"] | values)


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (document(endpoint={}), "teacher.endpoint.url"),
        (endpoint(url="api.test/v1"), "teacher.endpoint.url"),
        (endpoint(url="https://api.test/v1?key=x"), "teacher.endpoint.url"),
        (endpoint(api_key_env="sk-1234"), "teacher.endpoint.api_key_env"),
        (endpoint(concurrency=0), "teacher.endpoint.concurrency"),
        (document(asking={"prompt": "{texts}"}), "teacher.asking.prompt"),
        (document(asking={"extra": "[1]"}), "teacher.asking.extra"),
        (document(asking={"distribution": "guess"}), "teacher.asking.distribution"),
        (document(cost={"usd_per_1m_output_tokens": 1.0}), "teacher.cost"),
        (
            document(cost={"usd_per_1k_requests": 1.0, "usd_per_1m_output_tokens": 1.0}),
            "teacher.cost.usd_per_1m_output_tokens",
        ),
        (DOCUMENT | {"task": {}}, "task.labels"),
    ],
)
def test_what_cannot_work_is_refused_by_its_key(made, key):
    """Before anything is asked."""
    assert list(problems(made)) == [key]


def test_a_secret_in_the_file_is_refused_without_being_shown():
    """Neither a key in place of a variable's name, nor one in the address."""
    said = problems(endpoint(api_key_env="sk-1234", url="https://me:sk-1234@api.test/v1"))
    assert len(said) == 2
    assert "1234" not in "".join(said.values())


def test_the_key_is_read_from_the_environment_when_the_teacher_is_built(tmp_path, monkeypatch):
    """A variable that is not set is a problem of the configuration, and is named."""
    settings = parse_settings(endpoint(api_key_env="LITTLE_KEY"), "coffey.toml")
    monkeypatch.delenv("LITTLE_KEY", raising=False)
    for value in (None, "", "schlüssel", "two\nlines"):
        if value is not None:
            monkeypatch.setenv("LITTLE_KEY", value)
        with pytest.raises(ConfigError, match="'LITTLE_KEY': expected an environment variable that is set"):
            build_teacher(settings, tmp_path)
    monkeypatch.setenv("LITTLE_KEY", "sk-1234")
    assert "1234" not in json.dumps(build_teacher(settings, tmp_path).header)


def test_a_question_in_a_file_is_that_question(tmp_path):
    """Its words are in the fingerprint, its name is not; a file that cannot be filled is refused."""
    (tmp_path / "p.txt").write_text("Is it so? {text}")
    in_file = build_teacher(parse_settings(document(asking={"prompt": "p.txt"}), "x"), tmp_path)
    in_place = build_teacher(parse_settings(document(asking={"prompt": "Is it so? {text}"}), "x"), tmp_path)
    usual = build_teacher(parse_settings(document(), "x"), tmp_path)
    assert in_file.fingerprint == in_place.fingerprint != usual.fingerprint
    for content in ("Is it so?", None):
        (tmp_path / "p.txt").unlink()
        if content:
            (tmp_path / "p.txt").write_text(content)
        with pytest.raises(ConfigError, match=r"teacher\.asking\.prompt"):
            build_teacher(parse_settings(document(asking={"prompt": "p.txt"}), "x"), tmp_path)
        (tmp_path / "p.txt").touch()


TOML = """
[project]
name = "demo"
[task]
labels = ["no", "yes"]
[teacher]
kind = "openai"
source = "little"
batch_size = 4
cost = {{ usd_per_1m_tokens = 1000, usd_per_1m_output_tokens = 0 }}
[teacher.endpoint]
url = "{url}"
retries = 0
[teacher.asking]
prompt = "{{text}}"
[data]
transfer = "train.jsonl"
holdout = "test.jsonl"
[budget]
max_usd = {usd}
"""


def test_label_goes_on_where_a_refusal_or_the_limit_stopped_it(tmp_path):
    """30 inputs at 1 cent: a refusal after 10, a limit of 12 cents, then the rest; none is labelled twice.

    Each further run asks some of the stored answers again, to see that the teacher is the same.
    """
    for name, numbers in (("train", range(20)), ("test", range(20, 30))):
        rows = [json.dumps({"text": f"{chr(97 + n)} {'xyz' * n} {n * n}"}) for n in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")

    def label(url, usd):
        (tmp_path / "coffey.toml").write_text(TOML.format(url=url, usd=usd))
        return Project.load(tmp_path / "coffey.toml").label()

    good = completion(tokens={"yes": 0.75, "no": 0.25})
    refused = pytest.raises(TeacherUnavailable, match="expired")
    with serving(lambda number, body: failure(401, "expired") if number >= 10 else good) as server, refused:
        label(server.url, 5)
    with serving(lambda number, body: good) as server:
        with pytest.raises(BudgetExhausted):
            label(server.url, 0.12)
        within_limit = len(server.bodies) - 10
        result = label(server.url, 5)
    assert 8 <= within_limit <= 12
    assert result.asked == 20 - within_limit
    assert (result.labels, result.holdout, result.rechecked) == (20, 10, RECHECKED)
    assert len(server.bodies) == 10 + 20 + RECHECKED
    assert result.usd == pytest.approx(0.01 * result.asked)


@pytest.fixture
def skipping(tmp_path):
    """`skipping(url, malformed)`: a labelled project of 20 and 10 texts whose teacher is at `url`."""
    for name, numbers in (("train", range(20)), ("test", range(20, 30))):
        rows = [
            json.dumps({"text": f"{'odd' if n % 2 else 'even'} {'xyz' * n}", "label": ("no", "yes")[n % 2]})
            for n in numbers
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")

    def skipping(url, malformed="skip"):
        more = f'ask_again = 0\nmalformed = "{malformed}"\n[data]'
        toml = TOML.format(url=url, usd=5).replace("[data]", more)
        (tmp_path / "coffey.toml").write_text(toml.replace("[task]", '[task]\nlabel = "label"'))
        return Project.load(tmp_path / "coffey.toml").workspace

    return skipping


def odd_alone(number, body):
    """Every odd text is answered with yes; of the even ones, every third is not answered with a label."""
    text = body["messages"][-1]["content"]
    if text.startswith("odd"):
        return completion(tokens={"yes": 0.75, "no": 0.25})
    return completion(tokens={"perhaps": 1.0} if text.count("xyz") % 6 == 0 else {"no": 0.9, "yes": 0.1})


def test_what_the_teacher_skips_is_left_out_of_both_sets_and_the_rest_stays_aligned(skipping):
    """Texts, keys, hard labels and answers speak of the same rows; a second run asks nothing and agrees."""
    with serving(odd_alone) as server:
        lesson = prepare(skipping(server.url))
        asked = len(server.bodies)
        again = prepare(skipping(server.url))
        assert len(server.bodies) == asked + RECHECKED
    result = lesson.labelled.result
    assert (result.labels, result.holdout, result.skipped) == (16, 9, 5)
    for split, answers in (
        (lesson.data.transfer, lesson.labelled.transfer),
        (lesson.data.holdout, lesson.labelled.holdout),
    ):
        assert len(split) == len(answers)
        assert all(text.count("xyz") % 6 or text.startswith("odd") for text in split.texts)
        assert split.keys == tuple(map(input_key, split.texts))
        said = [("no", "yes")[column] for column in answers.argmax(axis=1)]
        assert said == list(split.hard)
    assert (lesson.hard == lesson.labelled.transfer.argmax(axis=1)).all()
    assert (lesson.holdout.hard_labels == lesson.labelled.holdout.argmax(axis=1)).all()
    assert len(lesson.data.validation(share=0.5, seed=1)) == 16
    assert again.labelled.result.digest == result.digest
    assert again.data == lesson.data


def test_told_to_refuse_it_asks_again_and_stops(skipping):
    """What was skipped by an earlier run is not forgotten silently when the setting changes."""
    with serving(odd_alone) as server:
        prepare(skipping(server.url))
        with pytest.raises(LabelRejected, match="perhaps"):
            prepare(skipping(server.url, "refuse"))


def test_a_teacher_that_labels_nothing_is_told(skipping):
    """Nothing can be learned from nothing; the set is named."""
    with serving(lambda number, body: completion(tokens={"perhaps": 1.0})) as server:
        with pytest.raises(EmptyData, match=r"data\.transfer.*any of its 20 inputs"):
            prepare(skipping(server.url))
        assert len(server.bodies) == 30


def test_audited_texts_that_it_cannot_label_do_not_stop_the_others(skipping):
    """The loop's own asking leaves them out; strict callers are told."""
    with serving(odd_alone) as server:
        space = skipping(server.url)
        texts = ["odd one", "even two", "even xyz three"]
        found = make_loop(space).answer(texts, Silent())
        assert found.known.tolist() == [True, False, True]
        assert found.probabilities.argmax(axis=1).tolist() == [1, 0]
        make_loop(space).answer(texts, Silent())
        assert len(server.bodies) == 3
        with pytest.raises(LabelRejected, match="other 2 are kept"):
            space.answer(texts)


@pytest.mark.parametrize("distribution", ["logprobs", "samples"])
def test_the_doctor_asks_one_small_question_and_says_its_price(skipping, distribution):
    """One request, whatever is set; the price is what the endpoint counted."""
    with serving(lambda number, body: completion("yes", tokens={"yes": 0.75, "no": 0.25})) as server:
        path = skipping(server.url).folder / "coffey.toml"
        text = path.read_text().replace("ask_again", f'distribution = "{distribution}"\nask_again')
        path.write_text(text)
        finding = look(path)
        assert len(server.bodies) == 1
    assert finding.ok
    assert "2 labels; this check took 1 request(s), 10 tokens in and 1 out, 0.01 USD" in finding.detail


@pytest.mark.parametrize(
    ("said", "detail"), [(failure(401, "expired"), "expired"), (completion(tokens={"hm": 1.0}), "'hm'")]
)
def test_the_doctor_says_why_an_endpoint_is_no_teacher(skipping, said, detail):
    """A refusal and an answer that is no label, each in its own words, after one request."""
    with serving(lambda number, body: said) as server:
        finding = look(skipping(server.url).folder / "coffey.toml")
        assert len(server.bodies) == 1
    assert finding.ok is False
    assert detail in finding.detail
    assert finding.mend == "mend teacher.source, teacher.endpoint or teacher.asking"


def look(path):
    found = examine(path, build_teacher=lambda settings: build_teacher(settings, path.parent))
    return next(one for one in found if one.name == "teacher")
