#!/bin/sh
# Puts all images into the registry. The same as: ./target-setup load-push
exec sh "$(dirname "$0")/target-setup" load-push "$@"
