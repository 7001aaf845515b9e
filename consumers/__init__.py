"""The work behind the log and the tables it writes."""
