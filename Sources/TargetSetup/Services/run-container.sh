#!/bin/sh
# Runs the container of @title@ in the foreground. Written by target-setup.
# shellcheck disable=SC2043 # a place for several words
for folder in @needed@; do
  [ -e "$folder" ] && continue
  echo "$folder, which @title@ needs, is gone: bring it back, or run target-setup from where the bundle is now"
  exit 1
done
containerd() { @ctr@ --namespace default "$@" >/dev/null 2>&1; }
# What a crash, a power cut or a containerd that was started again left of it. The process that watches over a container
# can outlive what containerd knows of it, and then stands in the way of the next one of that name.
containerd tasks delete --force @name@
containerd containers delete @name@
containerd snapshots delete @name@
for process in /proc/[0-9]*; do
  case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
    *containerd-shim*" -namespace default "*"-id "@name@" "*)
      kill -9 "${process#/proc/}" 2>/dev/null
      # containerd hears of its end, and forgets the container.
      tries=0
      while [ -e "$process" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
      containerd tasks delete --force @name@
      containerd containers delete @name@
      containerd snapshots delete @name@
      ;;
  esac
done
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
set --
@others@
exec @ctr@ --namespace default @options@ "$@" @command@
