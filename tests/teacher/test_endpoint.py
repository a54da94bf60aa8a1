"""A teacher behind an endpoint: nothing is asked twice, nothing paid for is lost, nothing is guessed."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tests.teacher.loopback import Response, completion, failure, serving

from coffey.core.errors import BudgetExhausted, ConfigError, LabelRejected, StoreCorrupt, TeacherUnavailable
from coffey.core.ids import input_key
from coffey.core.settings import AskingSettings, EndpointSettings
from coffey.teacher import chat
from coffey.teacher.asking import ask, ask_skipping
from coffey.teacher.budget import Price, Unit
from coffey.teacher.endpoint import EndpointTeacher
from coffey.teacher.fingerprint import fingerprint
from coffey.teacher.purse import Purse
from coffey.teacher.retrying import Backoff
from coffey.teacher.spending import SpendingLog, read_spending
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import check_teacher

LABELS = ("bad", "fine", "good")
TEXTS = [f"text {number}" for number in range(40)]


def likelihood(text: str) -> dict[str, float]:
    """The probabilities of the first token of the answer to a text."""
    draw = np.random.default_rng(int(input_key(text), 16)).dirichlet([1, 1, 1])
    return dict(zip((" bad", "fine", "Good"), (0.98 * draw + 0.005).tolist(), strict=True))


def honest(number: int, body: dict) -> Response:
    return completion(tokens=likelihood(body["messages"][-1]["content"]))


def lost_for_three(number: int, body: dict) -> Response:
    """No label for the first three texts."""
    lost = body["messages"][-1]["content"] in TEXTS[:3]
    return completion(tokens={"perhaps": 1.0}) if lost else honest(number, body)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(chat, "Backoff", lambda: Backoff(first_s=0.01, most_s=0.02))


@pytest.fixture
def make(request):
    """Builds teachers that are closed when the test ends."""

    def make(url, *, endpoint=None, labels=LABELS, key=None, revision=None, version=None, **asking):
        teacher = EndpointTeacher(
            "little",
            EndpointSettings(url=url, **(endpoint or {})),
            AskingSettings(**asking),
            labels=labels,
            template="{text}",
            key=key,
            revision=revision,
            version=version,
        )
        request.addfinalizer(teacher.close)
        return teacher

    return make


def stored(root, teacher, texts=TEXTS):
    return LabelStore.open(root, teacher).read([input_key(text) for text in texts])


def test_it_keeps_the_duties_of_a_teacher(make):
    """Order, batch and repetition do not matter; the distribution is that of the tokens."""
    with serving(honest) as server:
        teacher = make(server.url)
        check_teacher(teacher, TEXTS[:6])
        expected = [list(likelihood(text).values()) for text in TEXTS[:6]]
        np.testing.assert_allclose(
            teacher.predict(TEXTS[:6]), expected / np.sum(expected, axis=1)[:, None], 1e-6
        )


def test_everything_is_asked_once_with_as_many_under_way_as_allowed(make, tmp_path):
    """Duplicates and what is stored are not asked; the limit of concurrency is used and kept."""
    with serving(lambda number, body: Response(honest(number, body).body, seconds=0.02)) as server:
        teacher = make(server.url, endpoint={"concurrency": 4})
        report = ask(teacher, LabelStore.open(tmp_path, teacher), TEXTS + TEXTS[:9], batch_size=8)
        again = ask(teacher, LabelStore.open(tmp_path, teacher), TEXTS)
    assert (report.asked, report.duplicates, again.asked, again.cached) == (40, 9, 0, 40)
    assert sorted(server.asked()) == sorted(TEXTS)
    assert server.most_at_once == 4


def test_the_order_in_which_answers_come_does_not_matter(make, tmp_path):
    """However long each answer takes, every text has its own label, and the digest is the same."""
    digests = []
    for name, hurry in (("a", 1), ("b", -1)):

        def script(number, body, hurry=hurry):
            answer = honest(number, body)
            return Response(answer.body, seconds=0.01 * ((hurry * number) % 5))

        with serving(script) as server:
            teacher = make(server.url, endpoint={"concurrency": 7})
            texts = TEXTS if hurry > 0 else TEXTS[::-1]
            digests.append(
                ask(teacher, LabelStore.open(tmp_path / name, teacher), texts, batch_size=5).digest
            )
    np.testing.assert_array_equal(stored(tmp_path / "a", teacher), stored(tmp_path / "b", teacher))
    assert digests[0] == digests[1]


def test_failures_that_pass_are_asked_again_and_no_answer_is_asked_twice(make, tmp_path):
    """429, 500, 503, a body that breaks off and one that is no completion: each costs one request more."""
    trouble = [
        failure(429, retry_after="0.05"),
        failure(500),
        failure(503),
        Response(b'{"choices": [', lost_bytes=50),
        Response(b"<html>"),
        Response(b'{"choices": []}'),
    ]
    with serving(lambda number, body: trouble[number] if number < 6 else honest(number, body)) as server:
        teacher = make(server.url, endpoint={"concurrency": 3})
        assert ask(teacher, LabelStore.open(tmp_path, teacher), TEXTS[:10]).asked == 10
    assert len(server.bodies) == 10 + len(trouble)
    assert sorted(set(server.asked())) == sorted(TEXTS[:10])
    assert (teacher.usage.requests, teacher.usage.retries) == (10, 6)


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then(make):
    """Retry-After holds every request, not only the one that was refused."""
    times = []

    def script(number, body):
        times.append(time.monotonic())
        return failure(429, retry_after="0.4") if number == 0 else honest(number, body)

    with serving(script) as server:
        make(server.url, endpoint={"concurrency": 1}).predict(TEXTS[:3])
    assert times[1] - times[0] >= 0.4


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (failure(401, "bad key"), r"401 Unauthorized \(bad key\).*environment variable LITTLE_KEY"),
        (failure(403), "403 Forbidden.*LITTLE_KEY"),
        (failure(404, "no model"), r"404.*no model.*serves the model 'little'"),
        (failure(400, "context too long"), "400.*context too long.*teacher.asking"),
        (failure(429, code="insufficient_quota"), "429.*quota is used up"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_do(make, response, said):
    """It is asked once, not again and again."""
    with serving(lambda number, body: response) as server:
        teacher = make(server.url, endpoint={"api_key_env": "LITTLE_KEY"}, key="secret")
        with pytest.raises(TeacherUnavailable, match=said) as caught:
            teacher.predict(["a"])
    assert len(server.bodies) == 1
    assert server.headers[0]["authorization"] == "Bearer secret"
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_failures_that_do_not_pass_end_after_the_retries(make):
    """The message names the last failure and the setting."""
    with (
        serving(lambda number, body: failure(502, "gateway")) as server,
        pytest.raises(TeacherUnavailable, match=r"502.*gateway.*3 times.*retries = 2"),
    ):
        make(server.url, endpoint={"retries": 2}).predict(["a"])
    assert len(server.bodies) == 3


def test_waiting_beyond_the_deadline_is_not_begun(make):
    """A server that asks for an hour's patience is not waited for."""
    with (
        serving(lambda number, body: failure(429, retry_after="3600")) as server,
        pytest.raises(TeacherUnavailable, match=r"asks to wait 3600 s.*deadline_s = 5"),
    ):
        make(server.url, endpoint={"deadline_s": 5}).predict(["a"])
    assert len(server.bodies) == 1


def test_a_server_that_hangs_is_given_up_in_time(make):
    """The message names the setting of the time-out."""
    with (
        serving(lambda number, body: Response(seconds=30)) as server,
        pytest.raises(TeacherUnavailable, match=r"no answer within teacher.endpoint.timeout_s = 0.1"),
    ):
        make(server.url, endpoint={"timeout_s": 0.1, "retries": 1}).predict(["a"])
    assert len(server.bodies) == 2


def test_a_server_that_dies_midway_loses_nothing_that_it_answered(make, tmp_path):
    """What came is stored; when it is back, only the rest is asked."""
    with serving(honest) as server:

        def dying(number, body):
            if number == 15:
                server._server.should_exit = server._server.force_exit = True
            return Response(honest(number, body).body, seconds=0.005 if number < 15 else 0.2)

        server.script = dying
        teacher = make(server.url, endpoint={"concurrency": 2, "retries": 2})
        store = LabelStore.open(tmp_path, teacher)
        with pytest.raises(TeacherUnavailable, match="cannot be reached or broke off"):
            ask(teacher, store, TEXTS, batch_size=8)
    known = store.count()
    assert 14 <= known <= 15
    assert known == teacher.usage.requests
    with serving(honest) as server:
        back = make(server.url)
        assert ask(back, LabelStore.open(tmp_path, back), TEXTS).asked == 40 - known
    assert len(server.bodies) == 40 - known


def test_what_was_sent_before_a_failure_is_waited_for_and_kept(make, tmp_path):
    """One refusal ends the run: nothing new is sent, and the slow answers beside it are not thrown away."""

    def script(number, body):
        if number == 3:
            return failure(401)
        return Response(honest(number, body).body, seconds=0.3)

    with serving(script) as server:
        teacher = make(server.url, endpoint={"concurrency": 4})
        store = LabelStore.open(tmp_path, teacher)
        with pytest.raises(TeacherUnavailable, match="401"):
            ask(teacher, store, TEXTS, batch_size=8)
    assert len(server.bodies) == 4
    assert store.count() == 3


def test_no_more_than_the_limit_is_spent_however_many_are_under_way(make, tmp_path):
    """Charged is what the endpoint counted: 10 tokens in and 1 out for every answer."""
    price = Price(Unit.TOKENS_1M, 50_000.0, 500_000.0)  # 0.5 and 0.5 USD an answer
    with serving(honest) as server:
        teacher = make(server.url, max_tokens=1, endpoint={"concurrency": 8})
        store = LabelStore.open(tmp_path, teacher)
        with pytest.raises(BudgetExhausted) as caught:
            ask(teacher, store, TEXTS, batch_size=4, purse=Purse(price=price, limit_usd=20.0))
        assert caught.value.spent_usd == store.count() == len(server.bodies)
        assert 16 <= store.count() <= 20
        assert caught.value.remaining == 40 - store.count()
        report = ask(teacher, store, TEXTS, batch_size=4, purse=Purse(price=price, limit_usd=40.0))
    assert report.usd == report.asked == 40 - report.cached
    assert sorted(server.asked()) == sorted(TEXTS)
    assert "as the endpoint counted them" in report.usd_note


def test_malformed_answers_are_asked_again_and_paid_for(make, tmp_path):
    """Two bad answers to one text, then a good one: one label, three requests, three prices."""
    bad = completion(tokens={"perhaps": 0.9, "good": 0.1})
    with serving(lambda number, body: bad if number < 2 else honest(number, body)) as server:
        teacher = make(server.url)
        price = Price(Unit.REQUESTS_1K, 1000.0)
        report = ask(teacher, LabelStore.open(tmp_path, teacher), ["a"], purse=Purse(price=price))
    assert (report.asked, report.usd, teacher.usage.malformed) == (1, 3.0, 2)
    assert len({body["seed"] for body in server.bodies}) == 3


def test_a_text_without_a_usable_answer_stops_the_run_and_says_what_was_said(make, tmp_path):
    """Nothing is stored for it."""
    never = completion(tokens={"perhaps": 0.9, "good": 0.1})
    with serving(lambda number, body: never) as server:
        teacher = make(server.url, ask_again=1)
        store = LabelStore.open(tmp_path, teacher)
        with pytest.raises(
            LabelRejected, match=r"one of bad, fine, good, found 'perhaps' after asking again 1"
        ):
            ask(teacher, store, ["a"])
    assert (store.count(), len(server.bodies)) == (0, 2)


def test_skipping_is_explicit_and_leaves_the_text_without_a_label(make, tmp_path):
    """Everything else is labelled; `ask` still refuses, so that nobody goes on by mistake."""
    with serving(lost_for_three) as server:
        teacher = make(server.url, ask_again=0, malformed="skip")
        store = LabelStore.open(tmp_path, teacher)
        report = ask_skipping(teacher, store, TEXTS, batch_size=8)
        assert (report.labels, report.asked, report.skipped, report.cached) == (37, 37, 3, 0)
        assert store.missing([input_key(text) for text in TEXTS]) == [input_key(text) for text in TEXTS[:3]]
        assert report.digest == store.digest()
        again = ask_skipping(teacher, LabelStore.open(tmp_path, teacher), TEXTS)
        assert (again.labels, again.asked, again.skipped, again.digest) == (37, 0, 3, report.digest)
        assert len(server.bodies) == 40
        with pytest.raises(LabelRejected, match=r"malformed answers to 3 input.* other 37 are kept"):
            ask(teacher, store, TEXTS)
    assert len(server.bodies) == 43


def test_what_a_skipped_text_cost_is_noted_beside_the_answers(make, tmp_path):
    """Three of ten are skipped: seven answers are noted with the price of ten."""
    with serving(lost_for_three) as server:
        teacher = make(server.url, ask_again=0, malformed="skip")
        store = LabelStore.open(tmp_path, teacher)
        purse = Purse(price=Price(Unit.REQUESTS_1K, 1000.0), spending=SpendingLog(tmp_path / "s", "transfer"))
        assert ask_skipping(teacher, store, TEXTS[:10], purse=purse).usd == 10.0
    found = read_spending(tmp_path / "s")["transfer"]
    assert (found.texts, found.usd) == (7, 10.0)


def test_what_was_spent_before_a_failure_is_noted(make, tmp_path):
    """Four answers and then a refusal: what the four cost is known to whoever adds up the runs."""
    with serving(lambda number, body: failure(401, "no") if number >= 4 else honest(number, body)) as server:
        teacher = make(server.url, endpoint={"concurrency": 1})
        store = LabelStore.open(tmp_path, teacher)
        purse = Purse(price=Price(Unit.REQUESTS_1K, 1000.0), spending=SpendingLog(tmp_path / "s", "transfer"))
        with pytest.raises(TeacherUnavailable, match="401"):
            ask(teacher, store, TEXTS, batch_size=4, purse=purse)
    found = read_spending(tmp_path / "s")["transfer"]
    assert found.texts == found.usd == store.count() == 4


def test_an_endpoint_without_logprobs_is_named_with_the_way_out(make):
    """One answer is enough to know; it is not tried again, and not skipped either."""
    with (
        serving(lambda number, body: completion("good")) as server,
        pytest.raises(LabelRejected, match=r"distribution = 'samples'"),
    ):
        make(server.url, malformed="skip").predict(["a"])
    assert len(server.bodies) == 1


def test_samples_are_counted_and_smoothed(make):
    """Of four answers three good: (3 + 1/3) / 5, and so on; an endpoint that ignores `n` is asked again."""
    said = iter(["Good.", "good", " GOOD", "bad", "never"])
    with serving(lambda number, body: completion(next(said))) as server:
        teacher = make(server.url, distribution="samples", samples=4)
        found = teacher.predict(["a"])
    np.testing.assert_allclose(found, [[4 / 15, 1 / 15, 10 / 15]], rtol=1e-6)
    assert [body.get("n", 1) for body in server.bodies] == [4, 3, 2, 1]
    assert len({body["seed"] for body in server.bodies}) == 4
    assert server.bodies[0]["temperature"] == 1.0


def test_all_samples_come_in_one_request_where_the_endpoint_can(make):
    """A malformed one among them is asked for again alone."""
    answers = [completion("good", "x", "good", "bad", "fine"), completion("bad")]
    with serving(lambda number, body: answers[number]) as server:
        found = make(server.url, distribution="samples", samples=5, smoothing=0.0).predict(["a"])
    np.testing.assert_allclose(found, [[0.4, 0.2, 0.4]], rtol=1e-6)
    assert [body.get("n", 1) for body in server.bodies] == [5, 1]


def test_letters_stand_for_labels(make):
    """The prompt lists them, and the tokens of the letters carry the probabilities."""
    tokens = {"B": 0.6, " A": 0.25, "C": 0.05, "The": 0.1}
    with serving(lambda number, body: completion(tokens=tokens)) as server:
        teacher = make(server.url, spelling="letters")
        found = teacher.predict(["a"])
    np.testing.assert_allclose(found, [np.array([0.25, 0.6, 0.05]) / 0.9], rtol=1e-6)


def test_a_model_that_changes_while_it_is_asked_is_noticed(make):
    """Another model, or another revision than the one that is pinned, is another teacher."""
    moved = pytest.raises(TeacherUnavailable, match="answered as 'little-0' and then as 'little-1'")
    named = lambda number, body: completion(tokens=likelihood("a"), model=f"little-{number}")  # noqa: E731
    with serving(named) as server, moved:
        make(server.url, endpoint={"concurrency": 1}).predict(["a", "b"])
    with serving(
        lambda number, body: completion(tokens=likelihood("a"), system_fingerprint="fp_2")
    ) as server:
        with pytest.raises(TeacherUnavailable, match="'fp_2' where teacher.revision is 'fp_1'"):
            make(server.url, revision="fp_1").predict(["a"])
        make(server.url, revision="fp_2").predict(["a"])


def test_the_fingerprint_covers_what_decides_an_answer_and_nothing_else(make):
    """Labels, question, decoding, revision and version; not the address or the pace."""
    same = [
        make("http://one.test/v1"),
        make("http://two.test/v1", endpoint={"concurrency": 2}, key="k"),
        make("http://one.test/v1", ask_again=5, malformed="skip", min_mass=0.9, samples=9, seed=3),
    ]
    others = [
        make("http://one.test/v1", labels=LABELS[::-1]),
        make("http://one.test/v1", revision="fp_1"),
        make("http://one.test/v1", version="2"),
        make("http://one.test/v1", system="Be brief."),
        make("http://one.test/v1", spelling="letters"),
        make("http://one.test/v1", max_tokens=3),
        make("http://one.test/v1", extra='{"top_p": 0.5}'),
        make("http://one.test/v1", distribution="samples"),
        make("http://one.test/v1", distribution="samples", samples=9),
        make("http://one.test/v1", distribution="samples", seed=3),
        make("http://one.test/v1", distribution="samples", smoothing=0.5),
    ]
    assert len({teacher.fingerprint for teacher in same}) == 1
    assert len({teacher.fingerprint for teacher in same + others}) == 1 + len(others)
    assert all(fingerprint(teacher.header) == teacher.fingerprint for teacher in others)


def test_a_recheck_tolerates_chance_and_finds_another_model(make, tmp_path):
    """Samples of one model differ from run to run; those of another differ by more than that."""

    def drawn(changed):
        def script(number, body):
            text = body["messages"][-1]["content"]
            best = (int(input_key(text), 16) + (text in changed)) % 3
            chances = [0.8 if label == best else 0.1 for label in range(3)]
            rng = np.random.default_rng([body["seed"], number])
            return completion(*rng.choice(LABELS, size=body.get("n", 1), p=chances))

        return script

    with serving(drawn([])) as server:
        teacher = make(server.url, distribution="samples", samples=6)
        store = LabelStore.open(tmp_path, teacher)
        ask(teacher, store, TEXTS)
        found = store.recheck(teacher, TEXTS, sample=16)
        assert (found.asked, found.largest_difference > 0.05) == (16, True)
        server.script = drawn(TEXTS[::2])
        with pytest.raises(StoreCorrupt, match=r"by chance in .* of all cases.*teacher.version"):
            store.recheck(teacher, TEXTS, sample=16)


def test_a_recheck_by_logprobs_tolerates_a_little(make, tmp_path):
    """A few hundredths are a service's noise; a tenth is another model."""
    shift = 0.0

    def script(number, body):
        tokens = likelihood(body["messages"][-1]["content"])
        first, second = sorted(tokens, key=tokens.get)[-2:]
        return completion(
            tokens=tokens | {first: tokens[first] + shift, second: tokens[second] * (1 - shift)}
        )

    with serving(script) as server:
        teacher = make(server.url)
        store = LabelStore.open(tmp_path, teacher)
        ask(teacher, store, TEXTS)
        shift = 0.03
        store.recheck(teacher, TEXTS)
        shift = 0.8
        with pytest.raises(StoreCorrupt, match="total variation"):
            store.recheck(teacher, TEXTS)


def test_it_works_inside_a_running_event_loop(make):
    """A notebook has one; `predict` is called there as anywhere."""
    import asyncio

    async def cell(teacher):
        return teacher.predict(["a"])

    with serving(honest) as server:
        assert asyncio.run(cell(make(server.url))).shape == (1, 3)


def test_any_text_can_be_asked_about(make):
    """Half a surrogate pair, control characters and braces, as data may hold them."""
    texts = ["a \ud800 b", "\x00\x1f", "{text}", "é\u2028\U0001f600", ""]
    with serving(lambda number, body: completion(tokens=likelihood("a"))) as server:
        assert make(server.url).predict(texts).shape == (5, 3)
    assert sorted(server.asked()) == sorted(["a ? b", *texts[1:]])


def test_labels_that_cannot_be_told_apart_are_refused(make):
    """Before anything is asked."""
    with pytest.raises(ConfigError, match="'Good'"):
        make("http://one.test/v1", labels=("good", "Good"))
    with pytest.raises(ConfigError, match="26 letters"):
        make("http://one.test/v1", labels=[str(number) for number in range(27)], spelling="letters")
    with pytest.raises(ConfigError, match=r"task\.labels"):
        make("http://one.test/v1", labels=())
