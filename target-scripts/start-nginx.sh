#!/bin/sh
# Starts the web server. The same as: ./target-setup nginx
exec sh "$(dirname "$0")/target-setup" nginx "$@"
