# note.sh NAME COMMAND…: writes down what a command says, and how it ended. That it fails
# is a fact and no reason to stop; one that hangs must not cost the five minutes.
name=$1
shift
if timeout 30 "$@" >"facts/$name.txt" 2>&1; then
  echo "-- ok" >>"facts/$name.txt"
else
  echo "-- failed with $?: $*" >>"facts/$name.txt"
fi
echo "$name: $(wc --lines <"facts/$name.txt") lines, $(tail --lines=1 "facts/$name.txt")"
