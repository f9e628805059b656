#!/bin/sh
# Run once by PostgreSQL when its volume is new: the role that Herald runs as. It owns nothing; the
# migrations, which run as the owner, grant it what it needs.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$HERALD_APPLICATION_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE herald LOGIN PASSWORD :'password';
SQL
