"""The errors of the gateway by area; `gateway/errors.py` draws their one tree."""
