"""The hub's sub-commands of `schakel`."""
