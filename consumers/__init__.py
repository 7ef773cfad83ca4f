"""Deliver documents to AiAccount: claim, read and map, intend, call, record."""
