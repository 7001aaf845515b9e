"""The exchange itself: registry, decisions, ledger, keys, relay, route, render."""
