"""The question that a language model is asked: a template with the fields `{text}` and `{labels}`."""

from __future__ import annotations

import string
from dataclasses import dataclass

DEFAULT_TEMPLATE = (
    "Which one of these labels fits the text best?\n\nLabels:\n{labels}\n\nText:\n{text}\n\n"
    "Answer with the label alone."
)
_TEXT, _LABELS = "text", "labels"


def is_template(prompt: str) -> bool:
    """Whether a prompt is a question itself, rather than the name of a file that holds one.

    >>> is_template("Is this spam? {text}"), is_template("prompts/spam.txt")
    (True, False)
    """
    return "{" in prompt or "\n" in prompt


def template_problem(template: str) -> str | None:
    """What is expected of a template that cannot be used; None when it can.

    >>> template_problem("{text}: {sentiment}")
    "no field but {text} and {labels}, found {sentiment} (write '{{' for a brace)"
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as exc:
        return f"a template with the fields {{text}} and {{labels}} ({exc}; write '{{{{' for a brace)"
    names = [name for _, name, _, _ in parts if name is not None]
    for _, name, form, conversion in parts:
        if name is not None and (name not in (_TEXT, _LABELS) or form or conversion):
            return f"no field but {{text}} and {{labels}}, found {{{name}}} (write '{{{{' for a brace)"
    return None if _TEXT in names else "a template that holds {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A template that `template_problem` found nothing wrong with, and what stands before it."""

    template: str
    system: str | None = None

    def messages(self, text: str, *, labels: str) -> list[dict[str, str]]:
        """The messages that ask about `text`; braces in it are left as they are.

        >>> Prompt(template="{labels}? {text}").messages("a {text}", labels="x or y")
        [{'role': 'user', 'content': 'x or y? a {text}'}]
        """
        asked = {"role": "user", "content": self.template.format(text=text, labels=labels)}
        return [asked] if self.system is None else [{"role": "system", "content": self.system}, asked]
