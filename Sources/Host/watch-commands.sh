# Ends the commands of a program that is gone.
#
#   sh -c SCRIPT sh VARIABLE SECONDS
#
# Standard input has "+ MARK" for each command before it starts, and "- MARK" when it has ended. Only the program holds the other
# end, so the input ends with it, however it ended. A process belongs to a command when VARIABLE has the command's mark in its
# environment: what a command starts inherits that, into whatever group or session. First they get SIGTERM, and after SECONDS
# those that are left get SIGKILL.
variable=$1 patience=$2
trap '' HUP INT TERM
marks=' '
while read -r sign mark; do
  case $sign in
    +) marks="$marks$mark " ;;
    -) marks="${marks%% "$mark" *} ${marks#* "$mark" }" ;;
  esac
done

# processes: the ids of those that belong to a command that had not ended.
processes() {
  patterns=
  for mark in $marks; do patterns="$patterns -e $variable=$mark"; done
  # shellcheck disable=SC2086 # a mark has neither blanks nor patterns
  [ -z "$patterns" ] || grep -lsF $patterns /proc/[0-9]*/environ | tr -dc '0-9\n'
}
# send SIGNAL: to all of them, those that come meanwhile too; status 1 when there is none.
send() {
  found=$(processes)
  # shellcheck disable=SC2086 # one word for each process
  [ -n "$found" ] && { kill -s "$1" $found 2>/dev/null || :; }
}

send TERM || exit 0
while [ "$patience" -gt 0 ] && [ -n "$(processes)" ]; do
  sleep 1
  patience=$((patience - 1))
done
# Each round finds what was started during the one before it.
for _ in 1 2 3 4 5; do send KILL || exit 0; done
