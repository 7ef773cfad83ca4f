"""Map snapshots of sales and settlements to AiAccount documents: pure functions, standard library only."""
