"""The pages of the dashboard, one subject a file: the figures of a source become a `Page`."""
