#!/bin/sh
# Nautilus, context menu > Scripts. It passes the selection as arguments, relative to the folder
# it shows; the variable, a path a line, stands in where it passes none.
if [ $# -eq 0 ]; then
    set -f
    IFS='
'
    set -- $NAUTILUS_SCRIPT_SELECTED_FILE_PATHS
fi
exec @PHOTOCLOAK@ beside@OPTIONS@ -- "$@"
