"""A student's tokenizer: the teacher's WordPiece without the tokens the texts never use, or a new one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from coffey.core.errors import ConfigError, Problem

CONTINUES = "##"
"""Marks a WordPiece token that continues a word."""

_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Census:
    """How often a WordPiece tokenizer uses each of its tokens on some texts."""

    counts: np.ndarray
    """int64 [vocabulary], by token id."""
    forced: tuple[str, ...]
    """Tokens that every pruned vocabulary keeps: special ones, then single characters; see `take_census`."""

    @property
    def fallback(self) -> int:
        """Tokens that no pruned vocabulary can do without."""
        return len(self.forced)

    def useful(self, vocabulary: dict[str, int], min_count: int = 1) -> int:
        """Size of the pruned vocabulary that keeps every token seen `min_count` times."""
        forced = {vocabulary[token] for token in self.forced if token in vocabulary}
        seen = {int(i) for i in np.flatnonzero(self.counts >= min_count)}
        return len(self.forced) + len(seen - forced)


def is_wordpiece(tokenizer: Tokenizer) -> bool:
    """Whether the tokenizer can be pruned by `prune_tokenizer`."""
    return bool(json.loads(tokenizer.to_str())["model"]["type"] == "WordPiece")


def take_census(tokenizer: Tokenizer, texts: Iterable[str]) -> Census:
    """Count the tokens of `texts`. The tokenizer must be WordPiece.

    Of its single characters, those are forced that the texts use, and those of ASCII. MiniLM's vocabulary has
    997 in two positions, more than a static student of 230K can afford beside its words; most are of scripts
    that the texts never use, and of which the student learns nothing.
    """
    plain = _uncut(tokenizer)
    counts = np.zeros(plain.get_vocab_size(), dtype=np.int64)
    for batch in _batches(texts):
        for encoding in plain.encode_batch_fast(batch, add_special_tokens=False):
            np.add.at(counts, np.asarray(encoding.ids, dtype=np.int64), 1)
    return Census(counts, _forced(plain, counts))


def prune_tokenizer(
    tokenizer: Tokenizer, texts: Iterable[str], *, size: int, min_count: int = 1, census: Census | None = None
) -> tuple[Tokenizer, np.ndarray]:
    """Keep the tokens that `texts` use most, and their characters, so that none becomes unspellable.

    WordPiece matches greedily from the left and fails only where no token starts with the next character.
    With every character of the texts, and of ASCII, kept in the positions where it may stand (`c` and `##c`,
    added where the old vocabulary has only one of them), a word of such characters that the old tokenizer
    could spell can still be spelled. A word with any other character becomes [UNK].

    Args:
        tokenizer: WordPiece. Not changed.
        texts: the transfer set; not read when `census` is given.
        size: tokens to keep at most; the forced ones are kept even when they are more.
        min_count: tokens seen less often are left out.
        census: the counts of these texts, if already taken.

    Returns:
        The new tokenizer (no truncation, no padding) and, for every new id, the old id whose embedding it
        should start from (int64).

    Raises:
        ConfigError: the tokenizer is not WordPiece.
    """
    if not is_wordpiece(tokenizer):
        raise ConfigError("tokenizer", [Problem("tokenizer.model", "not WordPiece", "a WordPiece tokenizer")])
    census = census or take_census(tokenizer, texts)
    spec: dict[str, Any] = json.loads(_uncut(tokenizer).to_str())
    old: dict[str, int] = dict(spec["model"]["vocab"])
    kept = _choose(old, census, size=size, min_count=min_count)
    origin = _origins(kept, old)
    new = {token: index for index, token in enumerate(kept)}
    spec["model"]["vocab"] = new
    _renumber(spec, new)
    return Tokenizer.from_str(json.dumps(spec)), origin


def train_tokenizer(texts: Sequence[str], *, size: int) -> Tokenizer:
    """A new lower-casing WordPiece tokenizer, for teachers whose own tokenizer cannot be pruned.

    Every character of the texts is in its alphabet, both at the start of a word and inside it. The same
    texts give the same tokenizer: the trainer numbers continuing characters in the order of a hash table,
    and breaks ties by number, so they are numbered here, in the guise of special tokens.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    normal = (tokenizer.normalizer.normalize_str(text) for text in texts)
    characters = sorted({character for text in normal for character in text if not character.isspace()})
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*_SPECIALS, *(CONTINUES + character for character in characters)],
        initial_alphabet=characters,
        show_progress=False,
        continuing_subword_prefix=CONTINUES,
    )
    tokenizer.train_from_iterator(texts, trainer)
    spec = json.loads(tokenizer.to_str())
    spec["added_tokens"] = [entry for entry in spec["added_tokens"] if entry["content"] in _SPECIALS]
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def match_vocabulary(new: Tokenizer, old: Tokenizer) -> np.ndarray | None:
    """For every token of `new` the id in `old` whose embedding it should start from, int64.

    A token that `old` lacks starts from its other form (`c` and `##c`), else from a token that contains
    its first character. None when `old` is not WordPiece: then its tokens mean something else.
    """
    if not is_wordpiece(old):
        return None
    vocabulary = new.get_vocab()
    return _origins(sorted(vocabulary, key=vocabulary.__getitem__), old.get_vocab())


def _uncut(tokenizer: Tokenizer) -> Tokenizer:
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _forced(tokenizer: Tokenizer, counts: np.ndarray) -> tuple[str, ...]:
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    vocabulary: dict[str, int] = spec["model"]["vocab"]
    special = {entry["content"] for entry in spec["added_tokens"]} | {spec["model"]["unk_token"]}
    ordered = sorted(special, key=lambda token: (vocabulary.get(token, len(vocabulary)), token))
    plain = [token for token in vocabulary if token not in special]
    used = {character for token in plain if counts[vocabulary[token]] for character in _body(token)}
    ascii_ones = {character for token in plain for character in _body(token) if character.isascii()}
    characters = sorted(used | ascii_ones)
    forms = (form for character in characters for form in _forms(tokenizer, character))
    return (*ordered, *(form for form in forms if form not in special))


def _forms(tokenizer: Tokenizer, character: str) -> tuple[str, ...]:
    """`c`, and `##c` where `c` may continue a word: BERT's pre-tokenizer sets punctuation apart, for one."""
    words = f"a{character}{character}a"
    if tokenizer.normalizer is not None:
        words = tokenizer.normalizer.normalize_str(words)
    pieces = [(words, (0, len(words)))]
    if tokenizer.pre_tokenizer is not None:
        pieces = tokenizer.pre_tokenizer.pre_tokenize_str(words)
    continues = any(character in word[1:] for word, _ in pieces)
    return (character, CONTINUES + character) if continues else (character,)


def _body(token: str) -> str:
    return token[len(CONTINUES) :] if token.startswith(CONTINUES) and len(token) > len(CONTINUES) else token


def _choose(old: dict[str, int], census: Census, *, size: int, min_count: int) -> list[str]:
    forced = set(census.forced)
    wanted = sorted(
        (token for token, index in old.items() if token not in forced and census.counts[index] >= min_count),
        key=lambda token: (-int(census.counts[old[token]]), old[token]),
    )
    return [*census.forced, *wanted[: max(0, size - len(forced))]]


def _origins(kept: list[str], old: dict[str, int]) -> np.ndarray:
    """The old id of each token; a form that was added starts from its other form, or any token with it."""
    containing: dict[str, int] = {}
    for token, index in old.items():
        for character in _body(token):
            containing.setdefault(character, index)
    ids = []
    for token in kept:
        body = _body(token)
        other = body if token.startswith(CONTINUES) else CONTINUES + token
        ids.append(old.get(token, old.get(other, containing.get(body[0], 0))))
    return np.asarray(ids, dtype=np.int64)


def _renumber(spec: dict[str, Any], new: dict[str, int]) -> None:
    for entry in spec["added_tokens"]:
        entry["id"] = new[entry["content"]]
    _renumber_processor(spec.get("post_processor"), new)


def _renumber_processor(processor: dict[str, Any] | None, new: dict[str, int]) -> None:
    if not processor:
        return
    for inner in processor.get("processors", ()):
        _renumber_processor(inner, new)
    if processor["type"] == "TemplateProcessing":
        for entry in processor["special_tokens"].values():
            entry["ids"] = [new[token] for token in entry["tokens"]]
    for end in ("sep", "cls"):
        if end in processor:
            processor[end] = [processor[end][0], new[processor[end][0]]]
