"""Whether it pays: pure arithmetic on figures that say where they come from. Imports core and stats only."""
