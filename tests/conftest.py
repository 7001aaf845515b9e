"""The fixtures that every folder of tests may use: real services, started on demand."""

pytest_plugins = [
    "tests.distribution",
    "tests.kafka_fixtures",
    "tests.postgres_fixtures",
    "tests.lent_fixtures",
]
