"""The connector SDK, its kinds and the partner's client."""
