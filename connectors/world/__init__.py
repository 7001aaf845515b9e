"""The synthetic world: invented organisations and people, and what they send one another."""
