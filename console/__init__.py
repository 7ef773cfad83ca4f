"""What a person touches: the `aiaccount-sync` command line; the composition root."""
