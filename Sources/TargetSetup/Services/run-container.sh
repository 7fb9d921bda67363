#!/bin/sh
# Runs the container of @title@ in the foreground. Written by target-setup.
@ctr@ --namespace default tasks delete --force @name@ >/dev/null 2>&1
@ctr@ --namespace default containers delete @name@ >/dev/null 2>&1
@ctr@ --namespace default snapshots delete @name@ >/dev/null 2>&1
# ctr cannot limit processes, but the container's control group keeps a limit that it has already: first that of
# version 2, then that of version 1.
groups=/sys/fs/cgroup
if [ -f "$groups/cgroup.controllers" ]; then
  mkdir -p "$groups/default" 2>/dev/null && echo +pids 2>/dev/null >"$groups/default/cgroup.subtree_control"
else
  groups=$groups/pids
fi
mkdir -p "$groups/default/"@name@ 2>/dev/null && echo @processes@ 2>/dev/null >"$groups/default/"@name@/pids.max ||
  echo "the number of processes of this container is not limited: no control group in $groups"
exec @ctr@ --namespace default @arguments@
