"""Champion and challenger: how often the worse one wins, and the teacher's calls beside a fixed-sample A/B.

Simulated answers, compared by the code that `tick` uses. Students that are equally good, the hardest case,
show how often a promotion (or a rollback) is wrong; three ways of being equal are tried: answer by answer,
over texts that stand for unevenly many requests, and where rare texts are won and frequent ones lost. Then a
challenger that gains 1 to 10 points, having lost 1 to 5 elsewhere; 20 % of what differs are ties, both wrong.

Beside it, at the same error rate and with a power of 0.8 at the true gain: `ab`, two groups of requests,
each served by one student and all audited (two-proportion z-test); `paired`, one group, audited for both
(McNemar's test with a fixed sample, Connor 1987).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.options import at_most, make_parser
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.control.comparison import Requests, Rules, Tally, compare
from coffey.core.settings import ControlSettings, MonitorSettings
from coffey.dashboard.plain import plain
from coffey.stats.intervals import wilson
from coffey.stats.paired_sequence import Verdict
from coffey.stats.scoring import ONE_LABEL
from coffey.teacher.known import KnownAnswers

RUNS, QUICK_RUNS = 500, 100
AGREEMENT, POWER = 0.85, 0.8
"""The first is the champion's after a drop. An A/B takes fewer labels the higher it is."""
GAINS, LOSSES, TIES = (0.01, 0.02, 0.03, 0.05, 0.10), (0.01, 0.03, 0.05), 0.2
DIFFERING = 0.15
"""Share of the requests on which the two differ, up to which ten times fewer labels are promised."""
LABELS = 3

Said = npt.NDArray[np.int64]


class Student:
    """Answers text number n with `said[n]`."""

    scoring = ONE_LABEL

    def __init__(self, said: Said) -> None:
        self._said = said

    def predict(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return ONE_LABEL.certain(self._said[np.array(texts, dtype=np.int64)], LABELS)


@dataclass(frozen=True)
class Settings:
    """The two sections that `Rules` reads."""

    control: ControlSettings = ControlSettings()
    monitor: MonitorSettings = MonitorSettings()


def played(gains: Said, counts: Said, rules: Rules) -> Tally:
    """A comparison over differing texts; gains are 1 where the rival is right, -1 the champion, 0 neither."""
    wrong = {1: (1, 0), -1: (0, 1), 0: (1, 2)}
    champion, rival = (np.array([wrong[gain][who] for gain in gains.tolist()]) for who in (0, 1))
    texts = [str(number) for number in range(len(gains))]

    def answer(asked: Sequence[str]) -> KnownAnswers:
        truth = np.zeros(len(asked), dtype=np.int64)
        return KnownAnswers(np.ones(len(asked), dtype=np.bool_), ONE_LABEL.certain(truth, LABELS))

    requests = Requests(texts, counts.astype(np.float64))
    return compare(Student(champion), Student(rival), requests, rules, answer=answer)


def equals(rng: np.random.Generator, how: str, size: int) -> tuple[Said, Said]:
    """Gains and requests of texts on which neither is better over the requests."""
    if how == "answer by answer":
        return rng.choice([-1, 1], size), np.ones(size, dtype=np.int64)
    if how == "uneven texts":
        return rng.choice([-1, 0, 1], size), rng.geometric(0.4, size)
    frequent = rng.random(size) < 0.2
    return np.where(frequent, -1, rng.choice([-1, 1, 1, 1], size)), np.where(frequent, 2, 1)


def wrong_wins(rules: Rules, how: str, runs: int, seed: int) -> dict[str, float]:
    """Share of the comparisons of equal students that the rival wins."""
    rng = np.random.default_rng(seed)
    tallies = (played(*equals(rng, how, rules.labels), rules) for _ in range(runs))
    found = wilson(sum(tally.look(rules).verdict is Verdict.BETTER for tally in tallies), runs)
    return {"share": found.value, "low": found.low, "high": found.high}


def calls(rules: Rules, gain: float, loss: float, runs: int, seed: int) -> dict[str, Any]:
    """The teacher's calls until the rival has won, with as many as it takes; and within the budget."""
    rng = np.random.default_rng(seed)
    differing = (gain + 2 * loss) / (1 - TIES)
    chance = np.array([loss, TIES * differing, gain + loss]) / differing
    most = 12 * calls_expected(gain, loss)
    patient = replace(rules, labels=most)
    asked = []
    for _ in range(runs):
        tally = played(rng.choice([-1, 0, 1], most, p=chance), np.ones(most, dtype=np.int64), patient)
        won = tally.look(patient).verdict is Verdict.BETTER
        asked.append(tally.asked if won else math.inf)
    middle, most_of = (float(np.quantile(asked, q, method="higher")) for q in (0.5, POWER))
    ab, paired = labels_ab(rules.error_rate, gain), labels_paired(rules.error_rate, gain, gain + 2 * loss)
    return {
        "gain": gain,
        "loss": loss,
        "differing": differing,
        "median": middle,
        "power": most_of,
        "within_budget": float(np.mean(np.array(asked) <= rules.labels)),
        "ab": ab,
        "paired": paired,
        "times_fewer": ab / middle,
        "times_fewer_at_power": ab / most_of,
        "times_fewer_than_paired": paired / middle,
    }


def calls_expected(gain: float, loss: float) -> int:
    """About the calls that a bet on the true odds takes, ties included."""
    odds = (gain + loss) / (gain + 2 * loss)
    growth = math.log(2) + odds * math.log(odds) + (1 - odds) * math.log(1 - odds)
    return math.ceil(6 / growth / (1 - TIES)) + 16


def labels_ab(error_rate: float, gain: float) -> int:
    """Audits of both groups together."""
    first, second = AGREEMENT, min(AGREEMENT + gain, 1.0)
    middle = (first + second) / 2
    z_error, z_power = (NormalDist().inv_cdf(share) for share in (1 - error_rate, POWER))
    spread = z_error * math.sqrt(2 * middle * (1 - middle)) + z_power * math.sqrt(
        first * (1 - first) + second * (1 - second)
    )
    return 2 * math.ceil((spread / gain) ** 2)


def labels_paired(error_rate: float, gain: float, discordant: float) -> int:
    """Audits of one group that both answer."""
    z_error, z_power = (NormalDist().inv_cdf(share) for share in (1 - error_rate, POWER))
    spread = z_error * math.sqrt(discordant) + z_power * math.sqrt(discordant - gain**2)
    return math.ceil((spread / gain) ** 2)


def main() -> int:
    """Run, print one JSON object."""
    options = make_parser(__doc__).parse_args()
    runs = QUICK_RUNS if options.quick else RUNS
    promote, back = Rules.to_promote(Settings()), Rules.to_roll_back(Settings())
    wrong = {}
    for name, rules in (("promotions", promote), ("rollbacks", back)):
        for how in ("answer by answer", "uneven texts", "rare won, frequent lost"):
            wrong[f"{name}, {how}"] = found = wrong_wins(rules, how, runs, seed=len(wrong))
            print(f"wrong {name}, {how}: {json.dumps(found)}", file=sys.stderr)
    rows = []
    for gain in GAINS:
        for loss in LOSSES:
            rows.append(calls(promote, gain, loss, runs, seed=100 + len(rows)))
            print(json.dumps(rows[-1]), file=sys.stderr)
    result = {
        "targets": targets(wrong, rows, promote.error_rate),
        "runs": runs,
        "error_rate": promote.error_rate,
        "wrong": wrong,
        "calls": rows,
        "machine": plain(describe_machine()),
        "versions": plain(versions()),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in result["targets"].values()) else 1


def targets(
    wrong: dict[str, dict[str, float]], rows: list[dict[str, Any]], rate: float
) -> dict[str, dict[str, Any]]:
    """Wrong ones at most at the stated rate; labels, over an A/B's, where the two do not differ too often."""
    found = {}
    for name in ("promotions", "rollbacks"):
        shares = [one["share"] for key, one in wrong.items() if key.startswith(name)]
        found[f"wrong_{name}"] = at_most(sum(shares) / len(shares), rate)
    alike = [row for row in rows if row["differing"] <= DIFFERING]
    found["labels_over_ab"] = at_most(max(1 / row["times_fewer"] for row in alike), 0.1)
    return found


if __name__ == "__main__":
    sys.exit(main())
