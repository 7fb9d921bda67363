#!/bin/sh
# Makes this host take packages from the bundle alone. The same as: ./target-setup offline-repo
exec sh "$(dirname "$0")/target-setup" offline-repo "$@"
