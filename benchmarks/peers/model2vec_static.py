"""model2vec: static embeddings distilled from the teacher's encoder, and its classifier on top.

Once as small as the task says (its clustered vocabulary, a linear head), once with its defaults, whatever
the size. It learns from hard labels only and stops by its own rule, whatever the time.
"""

from __future__ import annotations

import sys

from model2vec.distill import distill
from model2vec.train import StaticModelForClassification
from task import Clock, Task
from transformers import AutoTokenizer

WIDTH = 64


def clusters(task: Task) -> int:
    """Vectors that the size pays for, beside a weight for each token and a linear head."""
    head = (WIDTH + 1) * len(task.labels)
    return (task.params - len(AutoTokenizer.from_pretrained(task.teacher)) - head) // WIDTH


def main(folder: str) -> None:
    """Distill the embeddings, train the classifier; both ways."""
    task = Task.read(folder)
    small = {"pca_dims": WIDTH, "vocabulary_quantization": clusters(task)}
    for variant, how, head in (("", small, {"n_layers": 0}), ("-defaults", {}, {})):
        clock = Clock(task.seconds)
        static = distill(task.teacher, quantize_to="float32", device="cpu", **how)
        model = StaticModelForClassification.from_static_model(model=static, **head)
        model.fit(task.texts, [task.labels[at] for at in task.targets], device="cpu", random_seed=task.seed)
        spent = clock.spent
        found = [task.labels.index(name) for name in model.predict(task.holdout)]
        floats = [weights for weights in model.parameters() if weights.is_floating_point()]
        params = sum(weights.numel() for weights in floats)
        task.write(found, params=params, steps=None, seconds=spent, variant=variant)


if __name__ == "__main__":
    main(sys.argv[1])
