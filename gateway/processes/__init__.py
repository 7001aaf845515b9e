"""The composition roots: one module for each process, `schakel run` imports only its own."""
