"""What the live dashboard shows of a project, a page a file: read from the store by the rooms that own it."""
