"""The demo, the AiAccount sandbox, the checker, and the servers they run on."""
