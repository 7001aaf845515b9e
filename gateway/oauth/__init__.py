"""Who is calling: the token issuer and the token verifier."""
