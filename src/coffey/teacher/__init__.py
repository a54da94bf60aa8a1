"""Kinds of teacher, the store of their answers, the budget; may import artifact, data, stats and core."""
