"""Words everyone shares: errors, records, ids, clock, settings. Imports the standard library only."""
