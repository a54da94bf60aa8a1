"""Modules such as users write: one that keeps the contract, and ones that break it."""

from __future__ import annotations

import torch
from torch import nn


class Convolution(nn.Module):
    """Token vectors, a convolution over three of them, the largest value of each channel."""

    def __init__(self, vocabulary, labels):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, 16)
        self.mix = nn.Conv1d(16, 24, 3, padding=1)
        self.classifier = nn.Linear(24, labels)

    def forward(self, input_ids, attention_mask):
        mask = attention_mask.unsqueeze(1).float()
        mixed = torch.relu(self.mix(self.tokens(input_ids).transpose(1, 2) * mask)) * mask
        features = mixed.amax(dim=2)
        return self.classifier(features), features


class BagOfWords(nn.Module):
    """A number for each token and label: there is nothing outside its embeddings."""

    def __init__(self, vocabulary, labels):
        super().__init__()
        self.votes = nn.Embedding(vocabulary, labels)

    def forward(self, input_ids, attention_mask):
        votes = (self.votes(input_ids) * attention_mask.unsqueeze(2)).sum(dim=1)
        return votes, votes


def bag_of_words(vocabulary, labels, max_length):
    return BagOfWords(vocabulary, labels)


def make(vocabulary, labels, max_length):
    return Convolution(vocabulary, labels)


def one_label_too_many(vocabulary, labels, max_length):
    return Convolution(vocabulary, labels + 1)


def logits_alone(vocabulary, labels, max_length):
    class Alone(Convolution):
        def forward(self, input_ids, attention_mask):
            return super().forward(input_ids, attention_mask)[0]

    return Alone(vocabulary, labels)


def not_a_module(vocabulary, labels, max_length):
    return "no module"


def needs_more(vocabulary, labels, max_length, colour):
    return Convolution(vocabulary, labels)


def never_a_number(vocabulary, labels, max_length):
    made = Convolution(vocabulary, labels)
    nn.init.constant_(made.classifier.bias, float("nan"))
    return made
