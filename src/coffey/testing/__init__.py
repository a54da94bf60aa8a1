"""Fakes and conformance checks for whoever writes a part of their own; product code never imports it."""
