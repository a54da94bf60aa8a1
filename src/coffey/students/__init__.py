"""Students: shapes, vocabularies, first weights and folders. May import artifact, data, stats and core."""
