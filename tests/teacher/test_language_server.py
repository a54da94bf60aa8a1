"""A small language model behind `transformers serve`: what is paid for is kept, whatever breaks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import transformers
from tests.teacher.language_server import LanguageServer, forwarding, save_checkpoint
from tests.teacher.loopback import Response, completion, failure, serving

from coffey.core.errors import BudgetExhausted, LabelRejected, TeacherUnavailable
from coffey.core.settings import AskingSettings, EndpointSettings
from coffey.project.demo.corpus import load_corpus
from coffey.teacher import chat
from coffey.teacher.asking import ask
from coffey.teacher.budget import Price, Unit
from coffey.teacher.endpoint import EndpointTeacher
from coffey.teacher.purse import Purse
from coffey.teacher.retrying import Backoff
from coffey.teacher.store import LabelStore

pytestmark = pytest.mark.slow

LABELS = ("Business", "Sports")
TEMPLATE = "News: {text}\n\nIs this news about business or sports? Answer with one word."
SOURCE = Path(sys.modules["coffey"].__file__).parents[1]
PRICE = Price(Unit.TOKENS_1M, 1.0, 2.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    server = LanguageServer(save_checkpoint(folder / "smollm2"), folder / "log")
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def extra(server):
    """Sampling switched on, and the labels' tokens favoured so that every answer is one of them."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(server.model)
    bias = {str(tokenizer.convert_tokens_to_ids(label)): 100.0 for label in LABELS}
    sampling = {"do_sample": True, "top_k": 0}
    return json.dumps({"generation_config": json.dumps(sampling), "logit_bias": bias})


@pytest.fixture(scope="module")
def texts():
    """16 short pieces of news, half of them about sports."""
    every = load_corpus().teacher
    chosen = [[one.text[:160] for one in every if one.desk == label.lower()][:8] for label in LABELS]
    return [text for pair in zip(*chosen, strict=True) for text in pair]


@pytest.fixture
def make(request, server, extra, monkeypatch):
    """Builds teachers that are closed when the test ends; failed requests are soon sent again."""
    monkeypatch.setattr(chat, "Backoff", lambda: Backoff(first_s=0.01, most_s=0.02))

    def make(url=server.url, *, endpoint=None, **asking):
        decoding = {"distribution": "samples", "samples": 1, "max_tokens": 1, "extra": extra}
        teacher = EndpointTeacher(
            server.model,
            EndpointSettings(url=url, **({"concurrency": 1} | (endpoint or {}))),
            AskingSettings(**{"samples_per_request": 1} | decoding | asking),
            labels=LABELS,
            template=TEMPLATE,
        )
        request.addfinalizer(teacher.close)
        return teacher

    return make


def test_faults_between_change_no_answer_and_cost_nothing_twice(make, server, texts, tmp_path):
    """429 with Retry-After, 500, a broken body and one that is no completion: the digest stays."""
    whole = make(samples=2)
    expected = ask(whole, LabelStore.open(tmp_path / "whole", whole), texts[:6])
    faults = {
        1: failure(429, retry_after="0.2"),
        4: failure(500),
        5: Response(b'{"choices": [', lost_bytes=50),
        9: Response(b"<html>"),
        12: Response(b'{"choices": []}'),
    }
    with serving(forwarding(server.url, faults)) as proxy:
        disturbed = make(proxy.url, samples=2)
        found = ask(disturbed, LabelStore.open(tmp_path / "disturbed", disturbed), texts[:6])
    assert (found.asked, found.digest) == (6, expected.digest)
    assert (disturbed.usage.requests, disturbed.usage.retries) == (2 * 6, len(faults))
    assert len(proxy.bodies) == 2 * 6 + len(faults)


def test_malformed_answers_between_are_paid_for_and_asked_again(make, server, texts, tmp_path):
    """Two answers that name no label cost two requests more; every text is labelled."""
    faults = {0: completion("perhaps"), 3: completion("business or sports")}
    faults = {number: served_as(server.model, response) for number, response in faults.items()}
    with serving(forwarding(server.url, faults)) as proxy:
        teacher = make(proxy.url)
        report = ask(teacher, LabelStore.open(tmp_path, teacher), texts[:5], purse=Purse(price=PRICE))
    assert (report.asked, teacher.usage.malformed, len(proxy.bodies)) == (5, 2, 7)
    assert report.usd == pytest.approx(PRICE.of(teacher.usage, seconds=0.0))


def served_as(model: str, response: Response) -> Response:
    """The same response under the name that the real server answers with."""
    body = json.loads(response.body) | {"model": f"{model}@main"}
    return Response(json.dumps(body).encode())


def test_no_more_is_spent_than_the_limit_and_the_rest_is_asked_later(make, texts, tmp_path):
    """Priced by the tokens that the server counted; the second run pays for what is missing, once."""
    teacher = make()
    store = LabelStore.open(tmp_path, teacher)
    limit = 8 * PRICE.of(teacher.expected(texts[:1]), seconds=0.0)
    with pytest.raises(BudgetExhausted) as caught:
        ask(teacher, store, texts, batch_size=2, purse=Purse(price=PRICE, limit_usd=limit))
    known = store.count()
    assert 0 < known < len(texts)
    assert caught.value.spent_usd == pytest.approx(PRICE.of(teacher.usage, seconds=0.0))
    assert caught.value.spent_usd <= limit
    rest = ask(teacher, store, texts, purse=Purse(price=PRICE, limit_usd=100 * limit))
    assert (rest.cached, rest.asked, teacher.usage.requests) == (known, len(texts) - known, len(texts))


def test_a_killed_server_loses_nothing_that_it_answered(make, server, texts, tmp_path):
    """SIGKILL in the middle, started again: each answer was paid for once."""
    first = make(endpoint={"retries": 1})
    store = LabelStore.open(tmp_path, first)
    killer = threading.Thread(target=kill_after, args=(server, first, 5))
    killer.start()
    with pytest.raises(TeacherUnavailable, match="cannot be reached or broke off"):
        ask(first, store, texts, batch_size=2)
    killer.join()
    known = store.count()
    assert 5 <= known == first.usage.requests < len(texts)
    server.start()
    back = make()
    assert ask(back, LabelStore.open(tmp_path, back), texts).asked == len(texts) - known
    assert first.usage.requests + back.usage.requests == len(texts)


def kill_after(server: LanguageServer, teacher: EndpointTeacher, requests: int) -> None:
    while teacher.usage.requests < requests:
        time.sleep(0.005)
    server.kill()


def test_a_wait_that_is_too_short_is_named_and_the_answers_come_with_a_longer_one(make, texts, tmp_path):
    """A model takes more than a millisecond: the setting is in the message, and nothing is stored."""
    hasty = make(endpoint={"timeout_s": 0.001, "retries": 1})
    store = LabelStore.open(tmp_path, hasty)
    with pytest.raises(TeacherUnavailable, match=r"timeout_s = 0\.001, 2 times in a row"):
        ask(hasty, store, texts[:2])
    assert store.count() == 0
    patient = make()
    assert ask(patient, store, texts[:2]).asked == 2


def test_it_gives_no_logprobs_and_the_message_says_what_to_set(make, texts):
    """`transformers serve` leaves them out without a word; one answer is enough to know."""
    teacher = make(distribution="logprobs")
    with pytest.raises(LabelRejected, match=r"distribution = 'samples'"):
        teacher.predict(texts[:2])
    assert teacher.usage.requests == 1


def test_it_samples_only_where_that_is_switched_on(make, extra, texts):
    """A temperature alone is not heeded: without `do_sample` every answer to a text is the same."""
    greedy = {"logit_bias": json.loads(extra)["logit_bias"]}
    settled = make(samples=2, smoothing=0.0, extra=json.dumps(greedy)).predict(texts[:4])
    sampled = make(samples=4, smoothing=0.0).predict(texts[:4])
    assert set(settled.ravel().tolist()) == {0.0, 1.0}
    assert ((sampled > 0) & (sampled < 1)).any()


TOML = """
[project]
name = "news"
[task]
labels = ["Business", "Sports"]
[teacher]
kind = "openai"
source = {source}
cost = {{ usd_per_1m_tokens = 1.0, usd_per_1m_output_tokens = 2.0 }}
[teacher.endpoint]
url = "{url}"
concurrency = 2
[teacher.asking]
prompt = {template}
distribution = "samples"
samples = 2
samples_per_request = 1
max_tokens = 1
extra = {extra}
[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"
[chain]
stages = ["layers=1,width=32,heads=1,vocabulary=400"]
epochs = 2
batch_size = 8
max_length = 32
threads = 1
[budget]
min_retention = 0.1
min_agreement = 0.1
max_usd = 1
[economics]
requests_per_day = 1000
student_usd_per_hour = 0.01
"""


@pytest.mark.usefixtures("key_home")
def test_a_project_is_labelled_and_distilled_from_it(server, extra, texts, tmp_path):
    """`coffey label` asks about transfer set and holdout, each once; `coffey distill` makes a student."""
    write_rows(tmp_path / "transfer.jsonl", texts[:12])
    write_rows(tmp_path / "holdout.jsonl", texts[12:])
    with serving(forwarding(server.url, {})) as proxy:
        values = {"source": server.model, "template": TEMPLATE, "extra": extra}
        quoted = {name: json.dumps(value) for name, value in values.items()}
        (tmp_path / "coffey.toml").write_text(TOML.format(url=proxy.url, **quoted))
        labelled = coffey("label", tmp_path)
        assert (labelled["labels"], labelled["asked"], len(proxy.bodies)) == (12, len(texts), 2 * len(texts))
        assert labelled["usd"] > 0
        questions = Counter((body["messages"][-1]["content"], body["seed"]) for body in proxy.bodies)
        distilled = coffey("distill", tmp_path)
    assert set(questions.values()) == {1}
    assert distilled["artifact"]
    assert 0 <= distilled["student"]["agreement"]["value"] <= 1


def write_rows(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def coffey(command: str, folder: Path) -> dict[str, Any]:
    """What a command prints with `--json`."""
    arguments = [sys.executable, "-m", "coffey", command, "--json"]
    done = subprocess.run(
        arguments, cwd=folder, env=os.environ | {"PYTHONPATH": str(SOURCE)}, capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found
