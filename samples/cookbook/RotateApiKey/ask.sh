# ask.sh METHOD PATH: asks the place where keys are made. The token goes through stdin:
# on a command line everybody on the machine could read it.
set -euo pipefail
printf 'header = "Authorization: Bearer %s"\n' "$KEYS_TOKEN" |
  curl --config - --fail --silent --show-error --max-time 20 --request "$1" "$KEYS_URL$2"
