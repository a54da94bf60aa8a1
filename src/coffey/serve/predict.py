"""Bodies to texts and answers to bodies, of `/v1/predict`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from coffey.core.errors import InvalidRequest
from coffey.serve.bodies import LabelScore, Prediction, PredictRequest, PredictResponse
from coffey.serve.dataplane import Answer
from coffey.serve.limits import Limits

_predict_decoder = msgspec.json.Decoder(PredictRequest)


def decode_predict(body: bytes, limits: Limits) -> tuple[PredictRequest, Sequence[str]]:
    """The request and its texts.

    Raises:
        InvalidRequest: the body is no such request, or its texts are over the limits.
    """
    try:
        request = _predict_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidRequest(f"The body cannot be read: {exc}.") from exc
    if (request.input is None) == (request.inputs is None):
        raise InvalidRequest("The body needs either 'input' (a text) or 'inputs' (a list of texts).")
    if request.input is not None:
        texts, field = [request.input], "input"
    else:
        texts, field = request.inputs or [], "inputs"
    limits.check_texts(texts, field)
    return request, texts


def encode_predict(request: PredictRequest, answer: Answer) -> PredictResponse:
    """The answer's body."""
    if answer.model.scoring.independent:
        predictions = _many_labels(answer)
    else:
        predictions = list(map(Prediction, answer.names, answer.confidence))
    if request.top_k is not None or request.scores:
        count = len(answer.model.labels) if request.scores or request.top_k is None else request.top_k
        for prediction, ranked in zip(predictions, ranked_scores(answer, count), strict=True):
            prediction.scores = ranked
    return PredictResponse(answer.id, answer.model.digest, predictions)


def _many_labels(answer: Answer) -> list[Prediction]:
    """The most probable label of each text, and the labels that it is given."""
    given = answer.model.scoring.answers(answer.probabilities).sum(axis=1).tolist()
    ranked = ranked_scores(answer, max(1, *given))
    return [
        Prediction(row[0].label, row[0].score, labels=row[:count])
        for row, count in zip(ranked, given, strict=True)
    ]


def ranked_scores(answer: Answer, count: int) -> list[list[LabelScore]]:
    """For each text the `count` most probable labels, most probable first; ties in the labels' order."""
    names = answer.model.labels
    order = np.argsort(-answer.probabilities, axis=1, kind="stable")[:, :count]
    scores = np.take_along_axis(answer.probabilities, order, axis=1)
    return [
        [LabelScore(names[index], score) for index, score in zip(*row, strict=True)]
        for row in zip(order.tolist(), scores.tolist(), strict=True)
    ]
