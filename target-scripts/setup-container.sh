#!/bin/sh
# Installs runc, containerd, nerdctl and the CNI plugins. The same as: ./target-setup containerd
exec sh "$(dirname "$0")/target-setup" containerd "$@"
