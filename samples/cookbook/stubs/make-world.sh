# make-world.sh FOLDER: what a rehearsal of RenewCertificate and FreeDisk finds: an authority, a certificate of
# shop.example.com that is soon over, rotated logs. make-world.sh issue FOLDER NAME DAYS: another certificate.
# shellcheck shell=bash
set -euo pipefail

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
# The real openssl, also where the stand-in comes first.
PATH=${PATH//"$(dirname -- "$(realpath -- "$0")"):"/}

issue() { # FOLDER NAME DAYS
  local world=$1 live=$1/live/$2
  mkdir -p "$live"
  openssl req "${new_key[@]}" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
    -keyout "$live/privkey.pem" -out "$world/request.pem" 2>/dev/null
  openssl x509 -req -in "$world/request.pem" -copy_extensions copy -days "$3" -out "$live/cert.pem" \
    -CA "$world/authority.pem" -CAkey "$world/authority.key" -set_serial "0x$(openssl rand -hex 8)" 2>/dev/null
  cp "$world/authority.pem" "$live/chain.pem"
}

if [ "$1" = issue ]; then
  issue "${@:2}"
  exit
fi
mkdir -p "$1/log"
openssl req -x509 "${new_key[@]}" -subj '/CN=Rehearsal' -days 3650 -keyout "$1/authority.key" -out "$1/authority.pem" 2>/dev/null
issue "$1" shop.example.com 10
cp "$1/live/shop.example.com/cert.pem" "$1/served.pem"
for name in app.log app.log.1 app.log.2.gz 'app old.log.3.gz'; do
  echo text >"$1/log/$name"
done
touch -d '30 days ago' "$1/log/app.log" "$1/log/app.log.2.gz" "$1/log/app old.log.3.gz"
