"""Mutations of our own code, each with the test that must catch it. See tests/mutants/__main__.py."""
