"""The words of a run: one count of the transfer set, from which stages take the tokens they can afford."""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from coffey.core.progress import Progress
from coffey.distill.records import ChainRequest
from coffey.students.vocabulary import Census, is_wordpiece, prune_tokenizer, take_census, train_tokenizer

NEW_VOCABULARY = 8000
"""Size of a tokenizer trained here; MiniLM's, pruned to 15,000 short texts, has 5,000 to 7,000."""


@dataclass(frozen=True, slots=True)
class Words:
    """A WordPiece tokenizer and how often the transfer set uses its tokens."""

    base: Tokenizer
    census: Census

    @property
    def fallback(self) -> int:
        """Tokens that every student needs, so that any text can be spelled."""
        return self.census.fallback

    @property
    def useful(self) -> int:
        """Tokens that occur in the transfer set, and the fallback."""
        return self.census.useful(self.base.get_vocab())

    def tokenizer(self, size: int) -> Tokenizer:
        """The tokenizer with the `size` most useful tokens."""
        return prune_tokenizer(self.base, (), size=size, census=self.census)[0]


def find_words(request: ChainRequest, progress: Progress) -> Words:
    """Count the transfer set's tokens with the teacher's WordPiece tokenizer, or with a new one."""
    base = request.tokenizer
    if base is None or not is_wordpiece(base):
        progress.say("The teacher has no WordPiece tokenizer: a new one is trained on the transfer set.")
        base = train_tokenizer(request.texts, size=NEW_VOCABULARY)
    return Words(base, take_census(base, request.texts))
