"""Start the servers that the pipeline stands on, for the demo, the tests and for people."""
