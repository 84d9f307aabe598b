//! Storage of definitions and runs: domain commands and queries, migrations, change feed.
