#!/usr/bin/env bash
# Run by the PostgreSQL image on an empty data folder: a database and an owner for each service, closed to the others.
set -euo pipefail
for service in meetings signing notifications archive; do
  # psql reads the password itself: what stands in a command's arguments, every process on the machine may read.
  psql --quiet --set ON_ERROR_STOP=1 --username postgres \
    --set name="justera_$service" --set file="/run/secrets/database_$service" <<'SQL'
\set password `cat :'file'`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
