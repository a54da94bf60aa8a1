"""Reading, splitting, de-duplicating and fingerprinting data. Imports core; pyarrow in arrow files only."""
