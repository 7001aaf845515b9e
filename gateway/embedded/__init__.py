"""The broker and the whole hub on one machine."""
