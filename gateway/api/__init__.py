"""The HTTP interface for partner systems."""
