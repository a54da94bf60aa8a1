"""A causal language model that answers chat completions: logprobs, samples, seeds, constrained choices.

`transformers serve`, which `language_server.py` starts, gives neither logprobs nor several answers (5.23
lists both as unused fields); so the tests of those run the model themselves.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import tokenizers
import torch
import transformers
from tests.teacher.loopback import Response


class LanguageModel:
    """A script for `loopback.serving` that generates with a real network.

    Requests run one at a time: PyTorch already uses the threads that it was given.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self._lock = threading.Lock()

    def __call__(self, number: int, body: dict[str, Any]) -> Response:
        with self._lock:
            return self._respond(body)

    def _respond(self, body: dict[str, Any]) -> Response:
        prompt = self.prompt(body["messages"])
        choices = [self._choice(prompt, body, answer) for answer in range(body.get("n", 1))]
        tokens = sum(choice.pop("tokens") for choice in choices)
        usage = {"prompt_tokens": prompt.shape[1], "completion_tokens": tokens}
        found = {"model": body["model"], "choices": choices, "usage": usage}
        return Response(json.dumps(found).encode())

    def prompt(self, messages: list[dict[str, str]]) -> torch.Tensor:
        """Token ids [1, t]."""
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids

    @torch.no_grad()
    def next_logprobs(self, ids: torch.Tensor, past: Any = None) -> tuple[torch.Tensor, Any]:
        """Log-probabilities [vocabulary] of the token after `ids` [1, t]."""
        out = self.model(input_ids=ids, past_key_values=past, use_cache=True)
        return torch.log_softmax(out.logits[0, -1].float(), dim=-1), out.past_key_values

    def _choice(self, ids: torch.Tensor, body: dict[str, Any], answer: int) -> dict[str, Any]:
        draw = torch.Generator().manual_seed(body["seed"] * 1000 + answer)
        past, entries, taken = None, [], []
        choices = self._encoded(body.get("structured_outputs", {}).get("choice", []))
        for _ in range(body["max_tokens"]):
            logprobs, past = self.next_logprobs(ids, past)
            if choices:
                logprobs = self._constrained(logprobs, choices, taken)
            sampled = body["temperature"] > 0
            token = int(
                torch.multinomial(logprobs.exp(), 1, generator=draw) if sampled else logprobs.argmax()
            )
            if token == self.tokenizer.eos_token_id:
                break
            taken.append(token)
            entries.append(self._entry(logprobs, token, body.get("top_logprobs", 0)))
            ids = torch.tensor([[token]])
        return {
            "message": {"role": "assistant", "content": self.tokenizer.decode(taken)},
            "finish_reason": "stop" if len(taken) < body["max_tokens"] else "length",
            "logprobs": {"content": entries} if body.get("logprobs") else None,
            "tokens": len(taken),
        }

    def _encoded(self, choices: list[str]) -> list[list[int]]:
        return [
            [*self.tokenizer.encode(choice, add_special_tokens=False), self.tokenizer.eos_token_id]
            for choice in choices
        ]

    def _constrained(
        self, logprobs: torch.Tensor, choices: list[list[int]], taken: list[int]
    ) -> torch.Tensor:
        """Only what goes on to one of the choices, as vLLM's `structured_outputs` does."""
        allowed = {choice[len(taken)] for choice in choices if choice[: len(taken)] == taken}
        mask = torch.full_like(logprobs, -1e9)
        mask[list(allowed)] = 0.0
        return torch.log_softmax(logprobs + mask, dim=-1)

    def _entry(self, logprobs: torch.Tensor, token: int, many: int) -> dict[str, Any]:
        best = logprobs.topk(min(many, len(logprobs))).indices.tolist() if many else []
        named = [{"token": self.tokenizer.decode([one]), "logprob": float(logprobs[one])} for one in best]
        return {
            "token": self.tokenizer.decode([token]),
            "logprob": float(logprobs[token]),
            "top_logprobs": named,
        }


def random_model(words: list[str], seed: int = 0) -> LanguageModel:
    """A tiny Llama with random weights and one token a word: it knows nothing, but its numbers are real."""
    vocabulary = {word: at for at, word in enumerate(["[UNK]", "[END]", *dict.fromkeys(words)])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="[END]"
    )
    wrapped.chat_template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.5,
        eos_token_id=1,
        bos_token_id=1,
    )
    return LanguageModel(transformers.LlamaForCausalLM(config), wrapped)
