# ask.sh DATABASE SQL: prints what the server at $PGHOST answers, bare; a mistake in SQL is a failure.
PGCONNECT_TIMEOUT=5 exec psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
  --dbname="$1" --command="$2"
