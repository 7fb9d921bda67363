#!/bin/sh
# Starts the registry. The same as: ./target-setup registry
exec sh "$(dirname "$0")/target-setup" registry "$@"
