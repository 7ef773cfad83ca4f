"""The commands of `aiaccount-sync`, one file for each."""
