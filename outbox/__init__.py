"""Capture, relay and tasks, and what both sides share."""
