#!/bin/sh
# Runs the container of @title@ in the foreground. Written by target-setup.
@ctr@ --namespace default tasks delete --force @name@ >/dev/null 2>&1
@ctr@ --namespace default containers delete @name@ >/dev/null 2>&1
@ctr@ --namespace default snapshots delete @name@ >/dev/null 2>&1
exec @ctr@ --namespace default @arguments@
