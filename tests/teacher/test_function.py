"""A function of the user's is a teacher: imported from their folder, checked, and named by its code."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from coffey.core.errors import ConfigError, LabelRejected, TeacherUnavailable
from coffey.teacher.function import FunctionTeacher
from coffey.testing.teacher import check_teacher

LABELS = ("short", "long")
LOGITS = "import helper_of_mine\ndef ask(texts):\n    return [[5.0 - len(t), len(t) - 5.0] for t in texts]\n"


@pytest.fixture
def folder(tmp_path):
    path, modules = list(sys.path), set(sys.modules)
    (tmp_path / "helper_of_mine.py").write_text("")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def load(folder, code, *, labels=LABELS, version=None, source="my_teacher:ask"):
    (folder / "my_teacher.py").write_text(code)
    sys.modules.pop("my_teacher", None)
    return FunctionTeacher.load(source, folder=folder, labels=labels, version=version)


def test_a_function_of_logits_keeps_all_duties_of_a_teacher(folder):
    """Imported with its folder on the path; its neighbours can be imported too."""
    teacher = load(folder, LOGITS)
    check_teacher(teacher, ["a", "a longer one", "five!", ""])
    assert teacher.params is None
    assert teacher.predict(["a longer one"]).argmax() == 1


def test_a_scikit_learn_pipeline_is_a_teacher(folder):
    """What the kind is for: predict_proba of a fitted pipeline, with its count of parameters."""
    pytest.importorskip("sklearn")
    code = """
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
model.fit(["good", "very good", "bad", "very bad"], [1, 1, 0, 0])
def ask(texts):
    return model.predict_proba(texts)
ask.labels = model.classes_
ask.params = model[-1].coef_.size + 1
"""
    teacher = load(folder, code, labels=None)
    check_teacher(teacher, ["good", "so very bad", "good bad"])
    assert (teacher.labels, teacher.params) == (("0", "1"), 65)


def test_a_function_may_name_its_own_columns(folder):
    """Then the configuration need not; the answers are the same teacher's, and another order is refused."""
    code = LOGITS + "ask.labels = ['short', 'long']\n"
    own = load(folder, code, labels=None)
    assert own.labels == LABELS
    assert own.fingerprint == load(folder, code).fingerprint
    with pytest.raises(ConfigError, match=r"task\.labels.*'short', 'long'"):
        load(folder, code, labels=LABELS[::-1])
    with pytest.raises(ConfigError, match=r"function\.labels"):
        load(folder, LOGITS + "ask.labels = ['same', 'same']\n")
    with pytest.raises(ConfigError, match=r"task\.labels"):
        load(folder, LOGITS, labels=None)


def test_probabilities_are_kept_and_not_softened(folder):
    """Rows that sum to 1 go in as they are."""
    teacher = load(folder, "def ask(texts):\n    return [[0.9, 0.1]] * len(texts)")
    np.testing.assert_allclose(teacher.predict(["a", "b"]), [[0.9, 0.1]] * 2, rtol=1e-6)


def test_a_function_may_say_what_it_returns(folder):
    """Logits that happen to look like probabilities are logits when the function says so."""
    teacher = load(folder, "def ask(texts):\n    return [[0.9, 0.1]]\nask.returns = 'logits'")
    np.testing.assert_allclose(teacher.predict(["a"])[0, 0], 1 / (1 + np.exp(-0.8)), rtol=1e-6)
    stated = load(folder, "def ask(texts):\n    return [[2.0, 0.1]]\nask.returns = 'probabilities'")
    with pytest.raises(LabelRejected, match="probabilities"):
        stated.predict(["a"])
    with pytest.raises(ConfigError, match=r"function\.returns"):
        load(folder, "def ask(texts):\n    return []\nask.returns = 'odds'")


def test_answers_that_change_their_meaning_are_refused(folder):
    """Logits after probabilities would be stored wrongly in silence otherwise."""
    teacher = load(
        folder, "def ask(texts):\n    return [[1.0, 0.0] if t == 'p' else [3.0, 0.0] for t in texts]"
    )
    teacher.predict(["p"])
    with pytest.raises(LabelRejected, match=r"function\.returns"):
        teacher.predict(["l"])


@pytest.mark.parametrize(
    "answer", ["[[float('nan'), 1.0]] * len(texts)", "[[1.0, 0.0]]", "[[1.0]] * len(texts)", "None"]
)
def test_what_is_no_label_is_refused(folder, answer):
    """NaN, a wrong number of rows, a wrong width, nothing at all."""
    teacher = load(folder, f"def ask(texts):\n    return {answer}")
    with pytest.raises(LabelRejected, match="my_teacher:ask"):
        teacher.predict(["a", "b"])


def test_an_exception_inside_says_what_and_where(folder):
    """The last line of the traceback, with file and line; the exception itself is the cause."""
    teacher = load(folder, "def ask(texts):\n    raise RuntimeError('quota is used up')")
    with pytest.raises(
        TeacherUnavailable, match=r"RuntimeError: quota is used up \(my_teacher.py:2\)"
    ) as caught:
        teacher.predict(["a"])
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_the_fingerprint_covers_code_version_and_labels(folder):
    """Each of the three is another teacher; nothing else is."""
    found = [
        load(folder, LOGITS).fingerprint,
        load(folder, LOGITS + "# changed\n").fingerprint,
        load(folder, LOGITS, version="2").fingerprint,
        load(folder, LOGITS, labels=("kurz", "lang")).fingerprint,
    ]
    assert len(set(found)) == 4
    assert load(folder, LOGITS).fingerprint == found[0]


def test_the_module_of_this_folder_is_imported_not_a_namesake(folder, tmp_path_factory):
    """Two projects may both call their file my_teacher.py."""
    load(folder, "def ask(texts):\n    return [[1.0, 0.0]]")
    other = tmp_path_factory.mktemp("other")
    (other / "my_teacher.py").write_text("def ask(texts):\n    return [[0.0, 1.0]]")
    teacher = FunctionTeacher.load("my_teacher:ask", folder=other, labels=LABELS)
    assert teacher.predict(["a"]).argmax() == 1
    again = FunctionTeacher.load("my_teacher:ask", folder=folder, labels=LABELS)
    assert again.predict(["a"]).argmax() == 0


@pytest.mark.parametrize("source", ["my_teacher", "my_teacher:", "my teacher:ask", ":ask", "my_teacher:a.b"])
def test_a_source_of_another_form_is_a_configuration_error(folder, source):
    """The expected form is said."""
    with pytest.raises(ConfigError, match="module:function"):
        load(folder, LOGITS, source=source)


def test_labels_are_needed(folder):
    """A function cannot state them."""
    with pytest.raises(ConfigError, match=r"task\.labels"):
        load(folder, LOGITS, labels=None)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_thing", "no_such_thing"),
        ("def ask(:", "SyntaxError"),
        ("ask = 3", "no function 'ask'"),
    ],
)
def test_a_module_that_cannot_be_used_says_why(folder, code, said):
    """Import errors are the teacher's, not Coffey's."""
    with pytest.raises(TeacherUnavailable, match=said):
        load(folder, code)


def test_independent_labels_need_not_sum_to_1(folder):
    """Of a multi-label task: values in [0, 1] are kept, logits go through a sigmoid each."""
    texts = ["a", "a longer one", "five!"]
    (folder / "my_teacher.py").write_text("def ask(texts):\n    return [[0.9, len(t) / 20] for t in texts]\n")
    sys.modules.pop("my_teacher", None)
    source = "my_teacher:ask"
    many = FunctionTeacher.load(source, folder=folder, labels=LABELS, independent=True)
    check_teacher(many, texts)
    np.testing.assert_allclose(many.predict(texts)[0], [0.9, 0.05])
    one = FunctionTeacher.load(source, folder=folder, labels=LABELS)
    assert one.fingerprint != many.fingerprint
    (folder / "my_teacher.py").write_text("def ask(texts):\n    return [[0.0, 3.0] for t in texts]\n")
    sys.modules.pop("my_teacher", None)
    logits = FunctionTeacher.load(source, folder=folder, labels=LABELS, independent=True)
    np.testing.assert_allclose(logits.predict(["a"]), [[0.5, 1 / (1 + np.exp(-3))]], rtol=1e-6)


def test_logits_of_independent_labels_stay_logits_where_they_happen_to_lie_in_0_to_1(folder):
    """Of few texts they often do: the first answer that cannot be probabilities settles what all are."""
    code = "def ask(texts):\n    return [[0.25, float(len(t))] for t in texts]\n"
    (folder / "my_teacher.py").write_text(code)
    sys.modules.pop("my_teacher", None)
    teacher = FunctionTeacher.load("my_teacher:ask", folder=folder, labels=LABELS, independent=True)
    teacher.predict(["longer"])
    np.testing.assert_allclose(teacher.predict(["a"]), [[1 / (1 + np.exp(-0.25)), 1 / (1 + np.exp(-1))]])
