"""Alarms for a falling agreement: false alarms on good labels, and labels until a drop is seen.

Simulated traffic of a student that agrees in 95.2 % and knows when it is unsure: six bins of confidence. The
drop comes after 2,000 labels, at once or over 1,000 labels. Every rule sees labels alone; ours with aimed
audits draws them by confidence and also counts the requests between them. Where the errors of a drop fall
decides what aiming is worth, so three ways are measured: `where it errs` (the odds of an error grow by one
factor), `unsure traffic` (more requests from the unsure bins), `everywhere` (each bin loses the same).

ADWIN is river's own, in an environment that is made from `monitor_peers.txt`. CBPE is NannyML's estimate of
accuracy by confidence, by its published formula: the mean calibrated confidence of a chunk, against the mean
and three standard deviations of the realized accuracy of the reference chunks. It needs no label, and so it
sees what moves the confidence and nothing else.

Then a small slice that falls (`monitor_slices`), and how narrow the estimate of agreement is
(`monitor_estimates`).
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.environments import PeerFailed, default_cache, environment, read_peers
from benchmarks.monitor_estimates import coverage, widths
from benchmarks.monitor_slices import calm_slices, fallen_slice
from benchmarks.options import make_parser
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.dashboard.plain import plain
from coffey.stats import confidence_sequence
from coffey.stats.aiming import Aim
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.e_detector import bets, log_factors, log_shares
from coffey.stats.intervals import wilson

SHARE = np.array([0.03, 0.03, 0.06, 0.12, 0.25, 0.51])
LEVEL = np.array([0.55, 0.72, 0.85, 0.93, 0.975, 0.995])
MEAN = float(SHARE @ LEVEL)
BINS = ConfidenceBins.of(
    edges=(0.5, 0.6, 0.7, 0.8, 0.9), agreement=tuple(LEVEL.tolist()), share=tuple(SHARE.tolist())
)
RATE = 0.01
"""Mean probability of an audit."""
GOOD, PROMISE = 10_000, 0.03
LENGTH = GOOD / PROMISE
"""The average run length that is promised: at most 3 % of runs of 10,000 good labels raise an alarm."""
BEFORE, GRADUAL = 2000, 1000
AFTER = {0.01: 10_000, 0.03: 4000, 0.10: 1500}
CHUNK = 50
REFERENCE_CHUNKS = 10
PEERS = Path(__file__).with_name("monitor_peers.txt")
RUNS, QUICK_RUNS = 500, 100
WHERE, UNSURE, EVERYWHERE = "where it errs", "unsure traffic", "everywhere"
ADWIN = """
import sys, numpy as np
from river.drift import ADWIN
scores = np.load(sys.argv[1])
first = []
for row in scores.tolist():
    detector, at = ADWIN(), len(row)
    for n, score in enumerate(row):
        detector.update(score)
        if detector.drift_detected:
            at = n
            break
    first.append(at)
np.save(sys.argv[2], first)
"""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """Shares [n, bins] and agreements [n, bins] of the traffic at each of n labels."""

    share: Vector
    level: Vector


def good(labels: int) -> Stream:
    return Stream(np.tile(SHARE, (labels, 1)), np.tile(LEVEL, (labels, 1)))


def fallen(drop: float, how: str, *, gradual: bool) -> Stream:
    """The drop after `BEFORE` labels; in the mean it is exactly `drop` at its end."""
    labels = BEFORE + AFTER[drop]
    since = np.arange(labels) - BEFORE + 1
    size = drop * np.clip(since / GRADUAL, 0, 1) if gradual else drop * (since > 0)
    found = good(labels)
    if how == UNSURE:
        pull = np.r_[SHARE[:3] / SHARE[:3].sum(), -SHARE[3:] / SHARE[3:].sum()]
        return Stream(found.share + (size / -(pull @ LEVEL))[:, None] * pull, found.level)
    if how == EVERYWHERE:
        return Stream(found.share, found.level - size[:, None])
    odds = LEVEL / (1 - LEVEL)
    shifts = np.linspace(-6, 0, 2001)
    levels = odds * np.exp(shifts)[:, None] / (1 + odds * np.exp(shifts)[:, None])
    shift = np.interp(MEAN - size, levels @ SHARE, shifts)
    return Stream(found.share, odds * np.exp(shift)[:, None] / (1 + odds * np.exp(shift)[:, None]))


def drawn(
    rng: np.random.Generator, stream: Stream, chance: Vector, runs: int
) -> tuple[npt.NDArray[np.int64], Vector, npt.NDArray[np.int64]]:
    """Bin and score of each audit [runs, n], and what passed before it [runs, n, bins]."""
    audited = stream.share * chance
    rate = audited.sum(axis=1)
    shape = (runs, len(rate))
    steps = np.cumsum(audited / rate[:, None], axis=1)[:, :-1]
    index = (rng.random(shape)[..., None] > steps).sum(axis=2)
    score = (rng.random(shape) < stream.level[np.arange(len(rate)), index]).astype(float)
    passing = stream.share * (1 - chance) / (1 - rate)[:, None]
    return index, score, rng.multinomial(rng.geometric(rate, size=shape) - 1, passing)


def e_detector(factors: Vector) -> npt.NDArray[np.int64]:
    """First alarm of each run by its factors [runs, n, bets]; n without one."""
    runs, labels = factors.shape[:2]
    shares, sums = np.exp(log_shares()), np.zeros((runs, factors.shape[2]))
    first = np.full(runs, labels)
    for n in range(labels):
        sums = np.minimum(factors[:, n] * (sums + 1), 1e100)
        first[(sums @ shares >= LENGTH) & (first == labels)] = n
    return first


def aimed(rng: np.random.Generator, stream: Stream, runs: int) -> npt.NDArray[np.int64]:
    aim, chance = Aim.of(BINS, MEAN), RATE * np.array(BINS.lift)
    odds = bets(MEAN, spread=aim.spread, reach=aim.reach)
    index, score, passed = drawn(rng, stream, chance, runs)
    gains = aim.audited(score, index, rate=RATE, probability=chance[index])
    logs = log_factors(gains, bets=odds) + passed @ log_factors(aim.passed(RATE), bets=odds)
    return e_detector(np.exp(logs))


def uniform(scores: Vector) -> npt.NDArray[np.int64]:
    return e_detector(np.exp(log_factors(MEAN - scores, bets=bets(MEAN))))


def rolling(scores: Vector, *, window: int = 500, every: int = 100) -> npt.NDArray[np.int64]:
    """A one-sided z-test of the last 500 labels at 5 %, looked at every 100 labels."""
    total = np.cumsum(np.pad(scores, ((0, 0), (1, 0))), axis=1)
    ends = np.arange(window, scores.shape[1] + 1, every)
    share = (total[:, ends] - total[:, ends - window]) / window
    low = share < MEAN - 1.645 * math.sqrt(MEAN * (1 - MEAN) / window)
    return np.where(low.any(axis=1), ends[low.argmax(axis=1)] - 1, scores.shape[1])


def three_sigma(scores: Vector, *, chunk: int = 500) -> npt.NDArray[np.int64]:
    """Chunks of 500 labels against three standard errors, on either side."""
    chunks = scores.shape[1] // chunk
    share = scores[:, : chunks * chunk].reshape(len(scores), chunks, chunk).mean(axis=2)
    out = np.abs(share - MEAN) > 3 * math.sqrt(MEAN * (1 - MEAN) / chunk)
    return np.where(out.any(axis=1), (out.argmax(axis=1) + 1) * chunk - 1, scores.shape[1])


def cbpe(confidence: Vector, rng: np.random.Generator, *, chunk: int = 500) -> npt.NDArray[np.int64]:
    """NannyML's CBPE with its own thresholds, by calibrated confidences [runs, n]."""
    chunks = confidence.shape[1] // chunk
    estimate = confidence[:, : chunks * chunk].reshape(len(confidence), chunks, chunk).mean(axis=2)
    realized = rng.binomial(chunk, MEAN, (len(confidence), REFERENCE_CHUNKS)) / chunk
    middle, spread = realized.mean(axis=1), realized.std(axis=1)
    out = np.abs(estimate - middle[:, None]) > 3 * spread[:, None]
    return np.where(out.any(axis=1), (out.argmax(axis=1) + 1) * chunk - 1, confidence.shape[1])


def running_mean(scores: Vector) -> npt.NDArray[np.int64]:
    """A confidence sequence of the mean of all labels, of 97 %, that falls under the promise."""
    logs = confidence_sequence.log_factors(np.array([1.0, 0.0]), np.ones(2), 1 - MEAN)
    money = np.zeros((len(scores), logs.shape[1]))
    first = np.full(len(scores), scores.shape[1])
    for n in range(scores.shape[1]):
        money += logs[scores[:, n].astype(int)]
        crossed = confidence_sequence.log_capital(money) >= math.log(1 / PROMISE)
        first[crossed & (first == scores.shape[1])] = n
    return first


def adwin(python: Path) -> Callable[[Vector], npt.NDArray[np.int64]]:
    def judge(scores: Vector) -> npt.NDArray[np.int64]:
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder, "scores.npy"), Path(folder, "first.npy")
            np.save(given, scores)
            subprocess.run([python, "-c", ADWIN, given, found], check=True)
            return np.load(found)

    return judge


def rules_of(river: Path | None) -> dict[str, Callable[[Vector], npt.NDArray[np.int64]]]:
    found = {
        "uniform": uniform,
        "rolling z-test": rolling,
        "3-sigma chunk": three_sigma,
        "running mean": running_mean,
    }
    return found | ({"ADWIN": adwin(river)} if river else {})


def first_alarms(
    stream: Stream, rules: dict[str, Callable[[Vector], npt.NDArray[np.int64]]], runs: int, seed: int
) -> dict[str, npt.NDArray[np.int64]]:
    """By every rule: ours aimed on its own draw, the others on the same uniform labels."""
    rng = np.random.default_rng(seed)
    sizes = [min(CHUNK, runs - start) for start in range(0, runs, CHUNK)]
    found = {"aimed": np.concatenate([aimed(rng, stream, size) for size in sizes])}
    labels = np.arange(len(stream.share))
    steps = np.cumsum(stream.share, axis=1)[:, :-1]
    index = np.stack([(rng.random(len(labels))[:, None] > steps).sum(axis=1) for _ in range(runs)])
    scores = (rng.random(index.shape) < stream.level[labels, index]).astype(float)
    parts = [scores[start : start + CHUNK] for start in range(0, runs, CHUNK)]
    found |= {name: np.concatenate([rule(part) for part in parts]) for name, rule in rules.items()}
    return found | {"CBPE": cbpe(LEVEL[index], rng)}


def false_alarms(first: npt.NDArray[np.int64]) -> dict[str, float]:
    share = wilson(int((first < GOOD).sum()), len(first))
    return {"share": share.value, "low": share.low, "high": share.high}


def delay(first: npt.NDArray[np.int64], labels: int) -> dict[str, float | int | None]:
    """Labels after the change until the alarm, of runs without one before; a miss counts as endless."""
    late = first[first >= BEFORE]
    if not len(late):
        return {"median": None, "p90": None, "missed": 0, "early": len(first)}
    waited = np.where(late == labels, math.inf, late - BEFORE + 1)
    middle, most = (float(np.quantile(waited, q, method="higher")) for q in (0.5, 0.9))
    return {
        "median": middle if math.isfinite(middle) else None,
        "p90": most if math.isfinite(most) else None,
        "missed": int((late == labels).sum()),
        "early": int((first < BEFORE).sum()),
    }


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--river", type=Path, help="a Python that has river, in the place of its own one")
    parser.add_argument("--no-peers", action="store_true", help="leave river's ADWIN out")
    options = parser.parse_args()
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    rules = rules_of(None if options.no_peers else options.river or river())
    calm = {
        name: false_alarms(first) for name, first in first_alarms(good(GOOD), rules, runs, seed=17).items()
    }
    say("false alarms", calm)
    rows = []
    ours = {"uniform": uniform}
    for drop, labels in AFTER.items():
        for how, gradual in ((WHERE, False), (WHERE, True), (UNSURE, False), (EVERYWHERE, False)):
            judged = rules if how == WHERE else ours
            found = first_alarms(fallen(drop, how, gradual=gradual), judged, runs, seed=len(rows))
            waited = {name: delay(first, BEFORE + labels) for name, first in found.items()}
            rows.append({"drop": drop, "errors": how, "gradual": gradual, "labels": waited})
            say(f"{drop} {how}{', gradual' if gradual else ''}", waited)
    slices = {
        name: {
            "found": fallen_slice(BINS, runs, aimed=name == "aimed", seed=31),
            "calm": calm_slices(BINS, max(10, runs // 5), aimed=name == "aimed", seed=37),
        }
        for name in ("aimed", "uniform")
    }
    say("a slice of 5 % loses 15 points", slices)
    estimates = {"widths": widths(BINS, runs, seed=41), "coverage": coverage(BINS, runs, seed=43)}
    say("estimates", estimates)
    result = {
        "targets": targets(calm, rows) | slice_targets(slices, estimates),
        "runs": runs,
        "false_alarms": calm,
        "drops": rows,
        "slices": slices,
        "estimates": estimates,
        "machine": plain(describe_machine()),
        "versions": plain(versions()),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in result["targets"].values()) else 1


def river() -> Path | None:
    """The Python of river's environment, made when it is not there; None where it cannot be."""
    (peer,) = read_peers(PEERS)
    try:
        return environment(peer, default_cache())
    except PeerFailed as exc:
        print(f"ADWIN is left out: {exc}", file=sys.stderr)
        return None


def say(what: str, found: dict[str, Any]) -> None:
    print(f"{what}: {json.dumps(found)}", file=sys.stderr)


def targets(calm: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sudden drops where the student errs; false alarms of both ways of sampling."""
    medians = {
        row["drop"]: {name: one["median"] or math.inf for name, one in row["labels"].items()}
        for row in rows
        if row["errors"] == WHERE and not row["gradual"]
    }
    found = {
        "false_alarms_aimed": (calm["aimed"]["low"], PROMISE),
        "false_alarms_uniform": (calm["uniform"]["low"], PROMISE),
        "labels_3_points": (medians[0.03]["aimed"], 550),
        "labels_10_points": (medians[0.10]["aimed"], 150),
        "aimed_to_uniform_3_points": (medians[0.03]["aimed"] / medians[0.03]["uniform"], 0.7),
        "aimed_to_uniform_10_points": (medians[0.10]["aimed"] / medians[0.10]["uniform"], 0.7),
    }
    return {
        name: {"value": value, "bound": bound, "met": value <= bound}
        for name, (value, bound) in found.items()
    }


def slice_targets(slices: dict[str, Any], estimates: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """False discoveries at most as stated; intervals narrower at the same coverage."""
    found = {}
    for name, one in slices.items():
        stated = one["calm"]["stated"]
        found[f"slices_named_by_chance_{name}"] = (one["calm"]["low"], stated)
        found[f"slices_false_share_{name}"] = (one["found"]["false_share"], stated)
    for look, one in estimates["widths"].items():
        found[f"width_to_uniform_{look}"] = (one["active"] / one["uniform"], 0.9)
        found[f"width_to_weighted_{look}"] = (one["active"] / one["weighted"], 1.0)
    missed = 1 - estimates["coverage"]["one look"]["active"]["high"]
    found["missed_by_one_look"] = (missed, 0.05)
    found["missed_by_any_look"] = (1 - estimates["coverage"]["every look"]["active"]["high"], 0.05)
    return {
        name: {"value": value, "bound": bound, "met": value <= bound}
        for name, (value, bound) in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
