#!/bin/sh
# Ends the commands of a program that is gone.
#
#   sh -c SCRIPT sh VARIABLE SECONDS
#
# Standard input has "+ MARK" for each command before it starts, "- MARK" when it has ended, and "x MARK" when it was ended and
# nothing of it may be left. Only the program holds the other end, so the input ends with it, however it ended. A process
# belongs to a command when VARIABLE has the command's mark in its environment: what a command starts inherits that, into
# whatever group or session. When the program is gone they get SIGTERM, and after SECONDS those that are left get SIGKILL.
variable=$1 patience=$2
trap '' HUP INT TERM
marks=' '

# processes MARK...: the ids of those that belong to these commands.
processes() {
  patterns=
  for one in "$@"; do patterns="$patterns -e $variable=$one"; done
  # shellcheck disable=SC2086 # a mark has neither blanks nor patterns
  [ -z "$patterns" ] || grep -lsF $patterns /proc/[0-9]*/environ | tr -dc '0-9\n'
}
# send SIGNAL MARK...: to all of them; status 1 when there is none.
send() {
  signal=$1
  shift
  found=$(processes "$@")
  # shellcheck disable=SC2086 # one word for each process
  [ -n "$found" ] && { kill -s "$signal" $found 2>/dev/null || :; }
}
# kill_all MARK...: each round finds what was started during the one before it.
kill_all() { for _ in 1 2 3 4 5; do send KILL "$@" || return 0; done; }

while read -r sign mark; do
  case $sign in
    +) marks="$marks$mark " ;;
    *) marks="${marks%%" $mark "*} ${marks#*" $mark "}" ;;
  esac
  [ "$sign" != x ] || kill_all "$mark"
done

# shellcheck disable=SC2086 # one word for each mark
set -- $marks
send TERM "$@" || exit 0
while [ "$patience" -gt 0 ] && [ -n "$(processes "$@")" ]; do
  sleep 1
  patience=$((patience - 1))
done
kill_all "$@"
