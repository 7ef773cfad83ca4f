"""The stand-in for AiAccount: a real HTTP server that keeps its contract, and breaks it when told to."""
