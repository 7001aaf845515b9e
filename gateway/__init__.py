"""The hub's authority and its doors."""
