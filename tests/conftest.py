"""What all tests share."""

pytest_plugins = ["tests.fixtures_database", "tests.fixtures_service", "tests.fixtures_webhooks"]
