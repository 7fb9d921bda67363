# What becomes of the programs that download-all has started when it is killed itself. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

# An inventory that Ansible asks and that never answers, with a process in a session of its own.
make_silent_inventory() {
  silent=$work/silent-inventory
  mkfifo "$silent-asked"
  cat >"$silent" <<END_OF_TEXT
#!/bin/sh
[ "\$1" = --list ] || exit
setsid sleep 100000 &
echo asked >"$silent-asked"
exec sleep 100000
END_OF_TEXT
  chmod +x "$silent"
}

children() {
  make_silent_inventory
  CHILD_OF=$work start --inventory "$silent" plan files
  check "children: Ansible asks the inventory" asked
  check "children: it runs as long as the program does" runs ansible-playbook
  kill -KILL "$background"
  finish
  check "children: after kill -9 nothing that it had started is left" "$here/../Shell/all-gone" "CHILD_OF=$work"

  CHILD_OF=$work start --inventory "$silent" plan files
  check "children: Ansible asks again" asked
  kill -INT -- "-$background"
  finish
  check "children: Ctrl-C is exit status 130" exits 130
  check "children: after Ctrl-C nothing is left" "$here/../Shell/all-gone" "CHILD_OF=$work"
}
asked() { timeout 300 grep -q asked "$silent-asked"; }
runs() {
  # A process that ends meanwhile is no failure.
  { grep -lzs "^CHILD_OF=$work\$" /proc/[0-9]*/environ || true; } | while read -r file; do
    tr '\0' ' ' <"${file%environ}cmdline" 2>/dev/null || true
  done | grep -F "$1"
}
