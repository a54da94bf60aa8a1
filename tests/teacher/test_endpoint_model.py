"""Real language models behind a real server: the distributions are theirs."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
import transformers
from tests.teacher.language_model import LanguageModel, random_model
from tests.teacher.language_server import WEIGHTS, model_folder
from tests.teacher.loopback import serving

from coffey.core.settings import AskingSettings, EndpointSettings
from coffey.teacher.asking import ask
from coffey.teacher.budget import Price, Unit
from coffey.teacher.endpoint import EndpointTeacher
from coffey.teacher.prompt import DEFAULT_TEMPLATE
from coffey.teacher.purse import Purse
from coffey.teacher.quiet import quietly
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import check_teacher

LABELS = ("bad", "fine", "good")
TEXTS = ["a lovely day", "bad", "fine day", "a bad film , a good book"]


def teacher_of(url, **asking):
    return EndpointTeacher(
        "random",
        EndpointSettings(url=url, concurrency=4),
        AskingSettings(**{"min_mass": 1e-6, "max_tokens": 1} | asking),
        labels=LABELS,
        template="{text} :",
    )


@pytest.fixture(scope="module")
def network():
    torch.set_num_threads(1)
    return random_model([*LABELS, *" ".join(TEXTS).split(), ":"])


def shares(network, text):
    """The network's own probabilities of the labels after the prompt, among the labels."""
    logprobs, _ = network.next_logprobs(network.prompt([{"role": "user", "content": f"{text} :"}]))
    chances = logprobs.exp()[[network.tokenizer.convert_tokens_to_ids(label) for label in LABELS]]
    return (chances / chances.sum()).numpy()


def test_logprobs_give_the_networks_own_distribution(network):
    """What arrives over HTTP is the softmax of the network over the labels' tokens."""
    with serving(network) as server, contextlib.closing(teacher_of(server.url)) as teacher:
        check_teacher(teacher, TEXTS)
        found = teacher.predict(TEXTS)
    np.testing.assert_allclose(found, [shares(network, text) for text in TEXTS], atol=1e-5)


def test_samples_approach_the_networks_own_distribution(network):
    """80 answers to a text, malformed ones asked again: within four standard errors of the softmax."""
    asking = {"distribution": "samples", "samples": 80, "samples_per_request": 80, "ask_again": 100_000}
    with serving(network) as server, contextlib.closing(teacher_of(server.url, **asking)) as teacher:
        found = teacher.predict(TEXTS[:1])
    expected = np.array([shares(network, text) for text in TEXTS[:1]])
    assert (np.abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 80) + 0.01).all()
    assert teacher.usage.malformed > 0


@pytest.fixture(scope="module")
def smollm():
    """SmolLM2-135M-Instruct from a registry package, de-quantized by transformers."""
    folder, weights = model_folder(), {"gguf_file": WEIGHTS}
    torch.set_num_threads(2)
    with quietly():
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, **weights)
        return LanguageModel(model, transformers.AutoTokenizer.from_pretrained(folder, **weights))


CONSTRAINED = {"extra": '{"structured_outputs": {"choice": ["negative", "positive"]}}'}


@pytest.mark.slow
@pytest.mark.parametrize(
    "asking",
    [
        CONSTRAINED,
        {"spelling": "letters", "max_tokens": 1, "min_mass": 0.05},
        CONSTRAINED | {"distribution": "samples", "samples": 3},
    ],
    ids=["names", "letters", "samples"],
)
def test_a_small_language_model_labels_texts_and_a_second_run_asks_nothing(smollm, tmp_path, asking):
    """Through the default question; tokens are paid as the server counted them.

    A model of this size seldom answers with a label alone, so its choices are constrained, as a user would.
    """
    texts = ["I loved every minute of this film.", "Terrible. I want my money back.", "The best meal ever!"]
    price = Price(Unit.TOKENS_1M, 1.0, 2.0)
    with serving(smollm) as server, contextlib.closing(smollm_teacher(server.url, **asking)) as teacher:
        report = ask(teacher, LabelStore.open(tmp_path, teacher), texts, purse=Purse(price=price))
        again = ask(teacher, LabelStore.open(tmp_path, teacher), texts, purse=Purse(price=price))
    used = teacher.usage
    assert (report.asked, again.asked, again.digest) == (3, 0, report.digest)
    assert report.usd == pytest.approx((used.input_tokens + 2 * used.output_tokens) / 1e6)
    assert used.input_tokens > 3 * 40
    assert used.malformed == 0


def smollm_teacher(url, **asking):
    return EndpointTeacher(
        "smollm2",
        EndpointSettings(url=url, timeout_s=300.0),
        AskingSettings(**asking),
        labels=("negative", "positive"),
        template=DEFAULT_TEMPLATE,
    )
