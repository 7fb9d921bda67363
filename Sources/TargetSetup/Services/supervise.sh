#!/bin/sh
# Keeps @name@ running where there is no systemd. Written by target-setup.
echo $$ >@processFile@
child='' stopping=''
trap 'stopping=yes; [ -z "$child" ] || kill "$child"' TERM INT
while [ -z "$stopping" ]; do
  @command@ &
  child=$!
  wait "$child"
  # A signal interrupts the first wait.
  wait "$child" 2>/dev/null
  [ -n "$stopping" ] || sleep 2
done
rm -f @processFile@
