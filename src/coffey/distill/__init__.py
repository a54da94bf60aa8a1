"""Distillation: one training loop, stages, chains and their controls. May import students and below."""
